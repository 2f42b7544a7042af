"""Whether a plan is the one that a recording was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...pipeline import Plan
from ...plan import is_older_hash
from ._file_identity import older_fingerprint
from .reader import Recording
from .recorder import describe

_COMPARED = ("source", "target", "held", "samples", "seed")


def is_other_plan(plan: Plan, recording: Recording) -> bool:
    """Whether the recording was made with another plan.

    That is told by the hash. If that was made by an older rule, the pipeline as it was written, the
    audio types and the contents of the files are compared instead.
    """
    then = recording.header
    if not is_older_hash(then.plan):
        return then.plan != plan.hash
    now = describe(plan, then.streams)
    if any(getattr(then, name) != getattr(now, name) for name in _COMPARED):
        return True
    contents_then = {str(file.path): file.fingerprint for file in then.files}
    contents_now = {str(file.path): older_fingerprint(file.path) for file in now.files}
    if then.document is None or now.document is None:
        return sorted(contents_then.values()) != sorted(contents_now.values())
    return _by_content(then.document, contents_then) != _by_content(now.document, contents_now)


def older_hash_remark(recording: Recording) -> str | None:
    """What to tell about a recording whose plan's hash was made by an older rule."""
    if not is_older_hash(recording.header.plan):
        return None
    return (
        "the recording was made by an older version, whose plan hash stands for the names and "
        "sizes of files: the pipeline and the contents of its files were compared instead"
    )


def _by_content(data: Any, contents: Mapping[str, str]) -> Any:
    """A document with the fingerprints of files in place of their names."""
    if isinstance(data, Mapping):
        return {key: _by_content(entry, contents) for key, entry in data.items()}
    if isinstance(data, list):
        return [_by_content(entry, contents) for entry in data]
    return contents.get(data, data) if isinstance(data, str) else data

"""Tells our files from others, whose contents no message may show, and their kinds apart.

A pipeline from a stranger can name any file in ``extends``, and errors about a file go to logs,
screens and network clients. So text is quoted from files only that are of the kind that is wanted.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from ..errors import Mark, PipelineError, Problem
from .file_kind import FAMILIES, PIPELINES, Family, FileKind


def is_text_of(family: Family, text: str) -> bool:
    """Whether a line of a text gives one of a kind's keys; the text may be wrong YAML."""
    keys = "|".join(family.keys)
    return re.search(rf"^[ \t{{]*[\"']?(?:{keys})[\"']?[ \t]*:(?:\s|$)", text, re.M) is not None


def require_kind(data: Any, source: str, kind: FileKind) -> None:
    """Refuses a file that is not of the wanted kind, without a word of what it holds.

    Raises:
        PipelineError: if ``data`` is a file of another kind, or is no mapping, or has none of the
            keys that every file of the kind has, not even misspelt, and a key that none has.
    """
    family = kind.family
    keys = [key for key in data if isinstance(key, str)] if isinstance(data, dict) else []
    if (other := _other_family(data, family)) is not None:
        text = f"this is {other.a}, expected {family.a}: {other.commands} take it"
        fix = f"give {family.a} file: it starts with {family.starts}"
        raise PipelineError(Problem(f"not-{_dashed(family.a)}", text, Mark(source, 1, 1), fix=fix))
    if keys and kind.model.model_fields.keys() >= set(keys):
        return
    near = (difflib.get_close_matches(key, family.keys, 1, 0.75) for key in keys if len(key) < 12)
    if any(near):
        return
    *most, last = family.keys
    text = (
        f"{family.a} file is a mapping of keys to values with {', '.join(most)} or {last}; "
        "this is none"
    )
    fix = f"give {family.a} file: it starts with {family.starts}"
    raise PipelineError(Problem(f"not-{_dashed(family.a)}", text, Mark(source, 1, 1), fix=fix))


def _dashed(words: str) -> str:
    return words.replace(" ", "-")


def _other_family(data: Any, wanted: Family) -> Family | None:
    """The other kind that a file is of beyond doubt; None if there is a doubt."""
    if not isinstance(data, dict):
        return None
    signs = {family: data.keys() & family.own for family in FAMILIES}
    if isinstance(data.get("nodes"), dict):
        signs[PIPELINES] |= {"nodes"}
    found = [family for family, keys in signs.items() if keys]
    return found[0] if len(found) == 1 and found[0] is not wanted else None

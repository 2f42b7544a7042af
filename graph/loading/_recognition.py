"""Tells pipeline files from others, whose contents no message may show.

A pipeline from a stranger can name any file in ``extends``, and errors about a file go to logs,
screens and network clients. So text is quoted from files only that are pipelines.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from voicegraph.schemas.pipeline import PipelineFile

from ..errors import Mark, PipelineError, Problem

_KEYS = ("nodes", "extends", "block")
"""Every pipeline has one of them. Other keys, such as ``version`` and ``vars``, are common."""

_LINE = re.compile(r"^[ \t{]*[\"']?(?:nodes|extends|block)[\"']?[ \t]*:(?:\s|$)", re.MULTILINE)


def is_pipeline_text(text: str) -> bool:
    """Whether a line of a text gives one of a pipeline's keys; the text may be wrong YAML."""
    return _LINE.search(text) is not None


def require_pipeline(data: Any, source: str) -> None:
    """Refuses a file that is no pipeline, without a word of what it holds.

    Raises:
        PipelineError: if ``data`` is no mapping, or has none of the keys that every pipeline has,
            not even misspelt, and a key that no pipeline has.
    """
    keys = [key for key in data if isinstance(key, str)] if isinstance(data, dict) else []
    if keys and PipelineFile.model_fields.keys() >= set(keys):
        return
    if any(difflib.get_close_matches(key, _KEYS, 1, 0.75) for key in keys if len(key) < 12):
        return
    text = (
        "a pipeline file is a mapping of keys to values with nodes, extends or block; this is none"
    )
    fix = "give a pipeline file: it starts with `extends: NAME`, or `block: 10ms` and `nodes:`"
    raise PipelineError(Problem("not-a-pipeline", text, Mark(source, 1, 1), fix=fix))

"""Which files the nodes of a plan may write.

Pipeline files are passed on from one user to another. Such a file could have a node write the
microphone's sound to any place, so what only a file asks for needs a folder that the user allows.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from ..errors import OutputError, Problem, Problems
from ..plan import CompiledPlan, FileWrite


def permitted_writes(
    plan: CompiledPlan, allow_write: Iterable[str | Path] = ()
) -> dict[Path, Path]:
    """The files that nodes write: as named -> as resolved, without links.

    Args:
        plan: the plan.
        allow_write: folders in which, and below which, pipeline files may have files written.

    Raises:
        OutputError: if a pipeline file, and not the user, names a file that is in none of them;
            with all such files.
    """
    folders = [resolved(folder) for folder in allow_write]
    problems = Problems(OutputError)
    found: dict[Path, Path] = {}
    for planned in plan.nodes:
        for write in planned.writes:
            target = found[write.path] = resolved(write.path)
            if not write.own and not any(target.is_relative_to(folder) for folder in folders):
                problems.found.append(_refused(planned.name, write, target, folders))
    problems.raise_if_any()
    return found


def resolved(path: str | Path) -> Path:
    """The absolute path without links, ``..`` and ``~``; also where the file does not exist."""
    return Path(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111 (keeps ~name as it is)


def _refused(node: str, write: FileWrite, target: Path, folders: list[Path]) -> Problem:
    why = (
        "and the pipeline is confined"
        if write.confined
        else ("which the pipeline file asks for, and not you")
    )
    text = f"{node}.{write.param} writes {target}, {why}"
    notes = []
    if target != write.path:
        notes.append((f"{write.path} leads there", None))
    if folders:
        allowed = ", ".join(map(str, folders))
        notes.append((f"pipeline files may write in {allowed} only", None))
    notes.append(('in Python: session(allow_write=["FOLDER"])', None))
    folder = shlex.quote(str(target.parent))
    return Problem("write-not-allowed", text, write.mark, tuple(notes), f"--allow-write {folder}")

"""The files that a plan reads and writes, for ``check``, ``explain`` and ``live``."""

from __future__ import annotations

import shlex
from pathlib import Path

from voicegraph.graph.loading.file_kind import PIPELINES
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.runtime.write_permission import resolved
from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.report import FileUse


def files_read(plan: Plan) -> list[FileUse]:
    """Pipeline files, then the files that nodes read, each once."""
    files = plan.origin.loaded.files if isinstance(plan.origin, Pipeline) else ()
    uses: dict[Path, list[str]] = {}
    for path in files:
        uses.setdefault(resolved(path), []).append("pipeline")
    for planned in plan.nodes:
        for name, path in planned.files.items():
            uses.setdefault(resolved(path), []).append(name)
    return [FileUse(path=_shown(path), by=by, asked=True) for path, by in uses.items()]


def files_written(plan: Plan) -> list[FileUse]:
    """The files that nodes write; without links, since that is where they will be."""
    return [
        FileUse(
            path=str(resolved(write.path)),
            by=[f"{planned.name}.{write.param}"],
            asked=write.own,
        )
        for planned in plan.nodes
        for write in planned.writes
    ]


def file_lines(reads: list[FileUse], writes: list[FileUse]) -> list[str]:
    """One line a file, for people."""
    lines = [f"reads   {printable(use.path)}   ({', '.join(use.by)})" for use in reads]
    for use in writes:
        folder = shlex.quote(str(Path(use.path).parent))
        needs = "" if use.asked else f": needs --allow-write {folder}"
        lines.append(f"writes  {printable(use.path)}   ({', '.join(use.by)}{printable(needs)})")
    return lines


def _shown(path: Path) -> str:
    """The path; of a file that comes along without the folder of the installation."""
    shipped = resolved(PIPELINES.folder)
    if path.is_relative_to(shipped):
        return f"voicegraph/pipelines/{path.relative_to(shipped).as_posix()}"
    return str(path)

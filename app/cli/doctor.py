"""``voicegraph doctor``: what is installed, what is missing, and the commands that fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._options import JsonOption
from ._output import echo, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.schemas.report import Component, DoctorReport, PrecisionTrial


@app.command()
def doctor(as_json: JsonOption = False) -> int:
    """Show versions, devices and sound cards, what is missing, and the commands that fix it.

    Exit code 1 if something required is missing or broken.
    """
    from voicegraph.app.diagnostics.doctor import diagnose

    report = diagnose()
    if as_json:
        print_json(report)
    else:
        echo(_summary(report))
    return 0 if report.ok else 1


def _summary(report: DoctorReport) -> str:
    threads = f", torch uses {report.threads} threads" if report.threads else ""
    parts = [
        [
            f"voicegraph  {report.voicegraph}",
            f"python      {report.python}",
            f"platform    {report.platform}",
            f"processor   {report.processor}, {report.cores} cores{threads}",
        ],
        _precisions(report.precisions),
        _components([c for c in report.components if c.required], "required"),
        _components([c for c in report.components if not c.required], "optional"),
        _machine(report),
        [_verdict(report)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _precisions(trials: list[PrecisionTrial]) -> list[str]:
    """What a trial measured on this processor, and what it means for pipelines."""
    from voicegraph.app.reports.text_table import Column, table

    columns = (Column("dtype: auto"), Column("takes"), Column("its arithmetic in 240 ms"))
    rows: list[list[str] | str] = []
    for trial in trials:
        spent = [f"{name} {ms:.0f} ms" for name, ms in trial.milliseconds.items()]
        rows.append([trial.node, trial.precision, ", ".join(spent) or "has no choice here"])
    return table(columns, rows) if rows else []


def _components(components: list[Component], title: str) -> list[str]:
    from voicegraph.app.reports.text_table import Column, table

    columns = (Column(title), Column("version"), Column("", wraps=True))
    rows: list[list[str] | str] = []
    for entry in components:
        mark = "" if entry.ok else "BROKEN: " if entry.required else "missing: "
        rows.append([entry.name, entry.version or "-", f"{mark}{entry.detail}"])
        fixes = (entry.fix or "").splitlines()
        rows += [f"    {'fix: ' if i == 0 else '     '}{fix}" for i, fix in enumerate(fixes)]
    return table(columns, rows)


def _machine(report: DoctorReport) -> list[str]:
    from voicegraph.app.reports.text_table import WIDTH, wrap

    lines = [
        f"{gpu.device}  {gpu.name}, {gpu.memory_bytes / 2**30:.1f} GiB"
        + (f", {gpu.free_bytes / 2**30:.1f} GiB free" if gpu.free_bytes is not None else "")
        for gpu in report.cuda
    ]
    if report.sound is not None:
        apis = ", ".join(report.sound.host_apis) or "no host API"
        lines.append(f"sound  {apis}; {report.sound.inputs} inputs, {report.sound.outputs} outputs")
    formats = wrap(", ".join(report.audio_formats) or "none", WIDTH - 7)
    return [*lines, *(f"{'files' if i == 0 else '':<5}  {line}" for i, line in enumerate(formats))]


def _verdict(report: DoctorReport) -> str:
    broken = [entry.name for entry in report.components if entry.required and not entry.ok]
    if broken:
        return f"Broken: {', '.join(broken)}. Run the commands after `fix`."
    return "Everything that is required works."

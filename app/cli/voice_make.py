"""``voicegraph voice make``: trains voices."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ._options import ForceOption, JsonOption
from ._output import echo, print_json
from ._voice_options import (
    AgainOption,
    AnywayOption,
    ConsentOption,
    KeepOption,
    MinutesOption,
    OwnerOption,
    PictureOption,
    ProcessesOption,
    RecordingsArg,
    SeedOption,
    StepsOption,
    ThreadsOption,
    TitleOption,
    VoiceArg,
    WorkOption,
)
from .app import STOPPED
from .voice import voice

if TYPE_CHECKING:
    from voicegraph.schemas.source_filter_card import Consent
    from voicegraph.schemas.voice_report import VoiceReport
    from voicegraph.training.voice.make_voice import VoiceRequest
    from voicegraph.training.voice.preflight import Preflight

_LONGEST = 200
"""Characters of a title."""


@voice.command("make")
def voice_make(
    recordings: RecordingsArg,
    target: VoiceArg,
    minutes: MinutesOption = 30.0,
    steps: StepsOption = None,
    owner: OwnerOption = None,
    consent: ConsentOption = None,
    title: TitleOption = None,
    anyway: AnywayOption = False,
    again: AgainOption = False,
    work: WorkOption = None,
    keep: KeepOption = False,
    picture: PictureOption = True,
    seed: SeedOption = 1,
    processes: ProcessesOption = None,
    threads: ThreadsOption = 1,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Train a voice from recordings, for the pipelines `default` and `default-live`.

    Finds speech, and leaves out what is clipped, noisy or of another speaker.
    Trains on one core, evaluates the voice, and writes one file, with a report and a picture.

    After Ctrl-C, the same command continues where it stopped.
    """
    from voicegraph.graph.machine import cores
    from voicegraph.training.common.training_loop import Budget
    from voicegraph.training.voice.make_voice import VoiceRequest
    from voicegraph.training.voice.preflight import Preflight

    preflight = Preflight(tuple(recordings), target, work, seed, processes or min(cores(), 8))
    files = preflight.check(force=force, again=again, picture=picture)
    agreed = _consent(preflight, owner, consent)
    preflight.start(files, agreed)
    request = VoiceRequest(
        recordings=files,
        target=target,
        work=preflight.work,
        consent=agreed,
        title=_title(title or target.stem),
        budget=Budget(minutes, steps),
        seed=seed,
        processes=preflight.processes,
        threads=threads,
        anyway=anyway,
        picture=picture,
    )
    report = _made(request)
    if report is None:
        return STOPPED
    if not keep:
        preflight.clear()
    _show(report, as_json)
    return 0


def _title(text: str) -> str:
    if len(text) > _LONGEST:
        raise typer.BadParameter(f"at most {_LONGEST} characters", param_hint="--title")
    return text


def _show(report: VoiceReport, as_json: bool) -> None:

    if as_json:
        print_json(report)
    else:
        echo(summary(report))


def _made(request: VoiceRequest) -> VoiceReport | None:
    """None if it was stopped by Ctrl-C."""
    from voicegraph.training.voice import make_voice
    from voicegraph.training.voice.preflight import lower_priority

    lower_priority()
    try:
        return make_voice.make(request, lambda line: echo(line, err=True))
    except KeyboardInterrupt:
        echo(f"stopped; the same command continues from {request.work}", err=True)
        return None


def _consent(preflight: Preflight, owner: str | None, given: str | None) -> Consent:
    from voicegraph.training.voice.consent import obtain
    from voicegraph.training.voice.workdir import Workdir

    def ask(question: str) -> str:
        echo(question, end="", err=True)
        return sys.stdin.readline()

    return obtain(Workdir(preflight.work), owner, given, ask if sys.stdin.isatty() else None)


def summary(report: VoiceReport) -> str:
    """The result as text."""
    from voicegraph.app.reports.text_table import Column, table

    columns = (
        Column("sound", wraps=True),
        Column("phone\nerror", right=True),
        Column("F0 error\n(cents)", right=True),
        Column("voicing", right=True),
        Column("pauses\n(dB)", right=True),
        Column("likeness", right=True),
    )
    rows: list[Sequence[str]] = [
        [
            one.name,
            f"{one.phone_error:.3f}",
            _number(one.f0_error_cents),
            f"{one.voicing:.3f}",
            _number(one.pause_db),
            f"{one.likeness:.2f}",
        ]
        for one in report.trials
    ]
    lines = [
        *table(columns, rows),
        "",
        f"{report.voice}   the voice, {report.material.used_s / 60:.1f} min of speech, "
        f"{report.card.trained.get('steps')} steps",
        f"{report.page}   the report: material, exclusions and quality",
        *([f"{report.picture}   another speaker, converted"] if report.picture else []),
        "",
        f"next: voicegraph run default IN.wav OUT.wav --set vars.voice={report.voice}",
        f"      voicegraph live default-live --set vars.voice={report.voice}",
        f"      voicegraph voice add {report.voice}   (into the library, by name)",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"

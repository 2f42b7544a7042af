"""``voicegraph voice``: voices of one's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ._options import ForceOption, JsonOption
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
from .app import STOPPED, app

if TYPE_CHECKING:
    from voicegraph.schemas.source_filter_card import Consent
    from voicegraph.schemas.voice_report import VoiceReport
    from voicegraph.training.voice.make_voice import VoiceRequest
    from voicegraph.training.voice.preflight import Preflight

_LONGEST = 200
"""Characters of a title."""

voice = typer.Typer(
    help="Make voices of your own.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(voice, name="voice")


@voice.command()
def make(
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
    """Make a voice of recordings, for the pipelines `default` and `default-live`.

    Finds speech, leaves out what is clipped, noisy or somebody else's, and says why.
    Trains on one core, tries the voice, and writes one file.
    A page and a picture about it stand beside it.

    Ctrl-C loses nothing: the same command goes on where it was.
    """
    from voicegraph.graph.machine import cores
    from voicegraph.training.common.training_loop import Budget
    from voicegraph.training.voice.make_voice import VoiceRequest
    from voicegraph.training.voice.preflight import Preflight

    preflight = Preflight(tuple(recordings), target, work, seed)
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
        processes=processes or min(cores(), 8),
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
    from ._output import print_json

    if as_json:
        print_json(report)
    else:
        typer.echo(page(report))


def _made(request: VoiceRequest) -> VoiceReport | None:
    """None if Ctrl-C came before it was done."""
    from voicegraph.training.voice import make_voice
    from voicegraph.training.voice.preflight import lower_priority

    lower_priority()
    try:
        return make_voice.make(request, lambda line: typer.echo(line, err=True))
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on where it was, from {request.work}", err=True)
        return None


def _consent(preflight: Preflight, owner: str | None, given: str | None) -> Consent:
    from voicegraph.training.voice.consent import obtain
    from voicegraph.training.voice.workdir import Workdir

    def ask(question: str) -> str:
        typer.echo(question, nl=False, err=True)
        return sys.stdin.readline()

    return obtain(Workdir(preflight.work), owner, given, ask if sys.stdin.isatty() else None)


def page(report: VoiceReport) -> str:
    """What was made, for people."""
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
        f"{report.page}   what it was made of, what was left out and why, how good it is",
        *([f"{report.picture}   how a stranger sounds in it"] if report.picture else []),
        "",
        f"next: voicegraph run default IN.wav OUT.wav --set vars.voice={report.voice}",
        f"      voicegraph live default-live --set vars.voice={report.voice}",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"

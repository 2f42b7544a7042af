"""``voicegraph replay``: runs a recorded session again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ._options import ForceOption, JsonOption, SetOption, argument, option
from ._output import echo, print_json
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from voicegraph.graph.files.recordings.reader import Recording
    from voicegraph.graph.pipeline import Plan
    from voicegraph.schemas.replay_report import ReplayReport

RecordingArg = Annotated[
    Path, argument("FILE.jsonl", "A recording of `live`: of --record, or a take.")
]
OutputOption = Annotated[
    Path | None, option("FILE", "Write the output as a sound file.", "--output", "-o")
]


@app.command()
def replay(
    recording: RecordingArg,
    output: OutputOption = None,
    set_args: SetOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Run a recorded session again, and compare the output with the recorded one bit by bit.

    The recording contains the pipeline; models are read from their old paths, or from those that
    --set gives. With other overrides, the recorded input is run through the changed pipeline, and
    nothing is compared. The exit code is 1 if the output differs, or if not all of it could be
    compared.
    """
    from voicegraph.app.reports.replay_text import replay_lines
    from voicegraph.graph.files.recordings.compare import compare
    from voicegraph.graph.files.recordings.plan_identity import is_other_plan, older_hash_remark
    from voicegraph.graph.files.recordings.prerequisites import check_files
    from voicegraph.graph.files.recordings.reader import open_recording
    from voicegraph.graph.files.recordings.replay import plan_of

    found = open_recording(recording)
    changes = dict(_parsed(text) for text in set_args or ())
    check_files(found, changes)
    plan = plan_of(found, changes)
    changed = bool(changes) and is_other_plan(plan, found)
    if (remark := older_hash_remark(found)) is not None:
        echo(remark, err=True)
    with startup_display(quiet=as_json, summary=False):
        report = (
            compare(plan, found, changed=changed)
            if output is None
            else _written(plan, found, changed, output, force)
        )
    print_json(report) if as_json else echo("\n".join(replay_lines(report)))
    return int(report.result not in ("identical", "changed"))


def _parsed(text: str) -> tuple[str, object]:
    from voicegraph.graph.loading.overrides import parse_set

    return parse_set(text)


def _written(
    plan: Plan, found: Recording, changed: bool, output: Path, force: bool
) -> ReplayReport:
    """Writes the output to a sound file; the channels of all streams follow each other."""
    from voicegraph.graph.errors import PipelineError, Problem
    from voicegraph.graph.files.recordings.compare import compare
    from voicegraph.graph.files.sound.writer import AudioWriter
    from voicegraph.graph.signals import Audio

    kind = plan.output_type
    if not isinstance(kind, Audio):
        text = f"the output of {plan.name} is {kind}, which a sound file cannot hold"
        raise PipelineError(Problem("output-not-audio", text, fix="leave out --output"))
    wide = Audio(kind.rate, found.header.streams * kind.channels)
    with AudioWriter(output, wide, subtype="float", force=force) as writer:
        report = compare(
            plan,
            found,
            changed=changed,
            sink=lambda made: writer.write(made.reshape(-1, made.shape[-1])),
        )
    return report.model_copy(update={"output": str(output)})

"""Evaluates voices: ``python -m training.evaluate --speech FOLDER``. See docs/training.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from voicegraph.graph.errors import VoicegraphError
from voicegraph.training.evaluate import clips
from voicegraph.training.evaluate._evaluation import Evaluation
from voicegraph.training.evaluate._rows import TABLE, open_voice, rows

HERE = Path(__file__).parent
VOICES = HERE.parents[1] / "pipelines" / "voices"
WORK = HERE.parent / "work"


def main(arguments: list[str] | None = None) -> int:
    """Makes what is missing, then writes the table."""
    given = _parser().parse_args(arguments)
    try:
        return _evaluate(given)
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command resumes from here") from None


def _evaluate(given: argparse.Namespace) -> int:
    files = given.voice or sorted(VOICES.glob("*.safetensors"))
    chosen, against = rows([open_voice(path) for path in files], given.rows or ["*"], given.table)
    wanted = clips.read(given.clips)[:: max(1, given.every)]
    found = Evaluation(
        rows=chosen,
        clips=wanted,
        speech=clips.located(given.speech, [clip.name for clip in wanted]),
        work=given.work / "evaluate",
        downloads=given.work / "downloads",
        targets=dict(given.target),
        against=given.against or against,
    )
    found.run(given.processes, measure_costs=not given.no_costs)
    out = given.out or found.store.root
    for path in found.write(out, given.pictures or out):
        print(path)
    return 0


def _target(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not equals or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not VOICE=FOLDER with a folder that exists")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="folder with LibriSpeech's files")
    add("--voice", type=Path, action="append", help="a voice's file (all of pipelines/voices)")
    add("--rows", nargs="+", metavar="NAME", help="rows of the table; * and ? are wildcards")
    add("--against", metavar="ROW", help="the row from which differences are taken")
    add("--target", type=_target, action="append", default=[], metavar="VOICE=FOLDER",
        help="held-out speech of a voice without a recipe")  # fmt: skip
    add("--table", type=Path, default=TABLE, help="file with the rows (rows.yaml)")
    add("--clips", type=Path, default=clips.LIST, help="file with the clips (clips.csv)")
    add("--every", type=int, default=1, metavar="N", help="only every N-th clip, for a quick try")
    add("--work", type=Path, default=WORK, help="folder for intermediate files")
    add("--out", type=Path, help="folder for table.md and results.json (the work folder)")
    add("--pictures", type=Path, help="folder for figures (as --out)")
    add("--processes", type=int, default=2, help="of one thread each")
    add("--no-costs", action="store_true", help="do not measure computing time")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

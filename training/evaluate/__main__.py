"""Evaluates the bundled voices: ``python -m training.evaluate --speech FOLDER``.

Makes the held-out speech of the voices, runs the experiment ``voices.yaml``, and writes its table
and pictures. What is no option here goes on to ``voicegraph experiment run``. See docs/training.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import VoicegraphError
from voicegraph.training.common.atomic_files import write_text
from voicegraph.training.evaluate.held_out_speech import write_speech
from voicegraph.training.evaluate.pictures import draw
from voicegraph.training.evaluate.table import page

HERE = Path(__file__).parent
WORK = HERE.parent / "work"
VOICES = ("heart", "michael")
_FAILED = 8
"""Exit code of ``experiment run``: done, but some clips failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the evaluation; the exit code of ``voicegraph experiment run``."""
    given, more = _parser().parse_known_args(arguments)
    work, targets = given.work / "evaluate", dict(given.target)
    try:
        speech = {
            voice: targets.get(voice)
            or write_speech(voice, work / "speech", given.work / "downloads")
            for voice in VOICES
        }
        code = subprocess.run(_command(given, work, speech, more), check=False).returncode
        if code in (0, _FAILED):
            _write(Run.open(work / "run"), given.out or work, given.pictures or given.out or work)
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command resumes from here") from None
    return code


def _command(
    given: argparse.Namespace, work: Path, speech: dict[str, Path], more: Sequence[str]
) -> list[str]:
    """The experiment's command. Its results stay below the working folder."""
    values = {
        "vars.speech": given.speech,
        **{f"vars.{name}": path for name, path in speech.items()},
    }
    texts = [f"{name}={path.resolve().as_posix()}" for name, path in values.items()]
    sets = [part for text in texts for part in ("--set", text)]
    out = ["--out", str(work / "run"), "--set", f"store={(work / 'store').resolve().as_posix()}"]
    file = str(HERE / "voices.yaml")
    return [sys.executable, "-m", "voicegraph", "experiment", "run", file, *out, *sets, *more]


def _write(run: Run, out: Path, pictures: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "table.md", page(run))
    for path in (out / "table.md", *draw(run, pictures)):
        print(path)


def _target(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not equals or name not in VOICES or not Path(folder).is_dir():
        voices = " or ".join(VOICES)
        raise argparse.ArgumentTypeError(f"{text!r} is not VOICE=FOLDER: {voices}, and a folder")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="folder with LibriSpeech's files")
    add("--target", type=_target, action="append", default=[], metavar="VOICE=FOLDER",
        help="held-out speech of a voice, instead of that of its recipe")  # fmt: skip
    add("--work", type=Path, default=WORK, help="folder for intermediate files")
    add("--out", type=Path, help="folder for table.md (the work folder)")
    add("--pictures", type=Path, help="folder for pictures (as --out)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

"""Evaluates the bundled voices: ``python -m training.evaluate --speech FOLDER``.

Makes the held-out speech of the voices, runs the experiment ``voices.yaml`` or ``difficult.yaml``,
and writes its table and pictures. What is no option here goes on to ``voicegraph experiment run``.
See docs/training.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.training.common.atomic_files import write_text
from voicegraph.training.evaluate import clips
from voicegraph.training.evaluate.held_out_speech import write_speech
from voicegraph.training.evaluate.pictures import draw
from voicegraph.training.evaluate.table import page

HERE = Path(__file__).parent
WORK = HERE.parent / "work"
VOICES = ("heart", "michael")
EXPERIMENTS = ("voices", "difficult")
_FAILED = 8
"""Exit code of ``experiment run``: done, but some clips failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the evaluation; the exit code of ``voicegraph experiment run``."""
    given, more = _parser().parse_known_args(arguments)
    work, targets = given.work / "evaluate", dict(given.target)
    own = work / f"{given.experiment}-{given.clips}"
    try:
        _check_speech(given.speech, clips.LISTS[given.clips])
        folders = {voice: targets.get(voice, work / "speech" / voice) for voice in VOICES}
        if (code := _check(given, work / "store", folders, more)) != 0:
            return code
        speech = {
            voice: targets.get(voice)
            or write_speech(voice, work / "speech", given.work / "downloads")
            for voice in VOICES
        }
        command = _command(given, "run", work / "store", speech, [*_out(own), *more])
        code = subprocess.run(command, check=False).returncode
        if code in (0, _FAILED):
            out = given.out or own
            _write(Run.open(own / "run"), out, given.pictures or out)
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command resumes from here") from None
    return code


def _check_speech(folder: Path, listed: Path) -> None:
    """Raises SystemExit if clips of a list are missing, before anything is synthesized."""
    if not folder.is_dir():
        raise SystemExit(f"--speech {folder} is no folder\n  fix: check the name")
    there = {path.stem for path in folder.rglob("*.*")}
    wanted = clips.names(listed)
    missing = [name for name in wanted if name not in there]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise SystemExit(
            f"--speech {folder} lacks {len(missing)} of the {len(wanted)} clips of "
            f"{listed.name}: {shown}\n"
            "  fix: give the folder with LibriSpeech's train-clean-100 and test-other "
            "(openslr.org/12), or one above it"
        )


def _check(
    given: argparse.Namespace, store: Path, folders: dict[str, Path], more: Sequence[str]
) -> int:
    """Exit code of ``experiment check``, if speech must be made first, which takes long; else 0.

    It finds packages that are missing, and wrong ``--set``. The recording in the package stands in
    for speech that is not there yet.
    """
    if all(folder.is_dir() for folder in folders.values()):
        return 0
    there = {
        voice: folder if folder.is_dir() else bundled_recording.path()
        for voice, folder in folders.items()
    }
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--set", "--profile", "--metrics-file"):
        parser.add_argument(name, dest=name, action="append", default=[])
    asked = vars(parser.parse_known_args(more)[0])
    shared = [part for name, values in asked.items() for value in values for part in (name, value)]
    command = _command(given, "check", store, there, shared)
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode


def _out(own: Path) -> list[str]:
    return ["--out", str(own / "run")]


def _command(
    given: argparse.Namespace, verb: str, store: Path, speech: dict[str, Path], more: Sequence[str]
) -> list[str]:
    """A command of the experiment. Its results stay below the working folder."""
    values = {
        "store": store,
        "clips.list": clips.LISTS[given.clips],
        "vars.speech": given.speech,
        **{f"vars.{name}": path for name, path in speech.items()},
    }
    texts = [f"{name}={path.resolve().as_posix()}" for name, path in values.items()]
    sets = [part for text in texts for part in ("--set", text)]
    file = str(HERE / f"{given.experiment}.yaml")
    return [sys.executable, "-m", "voicegraph", "experiment", verb, file, *sets, *more]


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
    add("--clips", choices=clips.LISTS, default="development",
        help="development: 24 speakers that choices were made on; final: 16 others")  # fmt: skip
    add("--experiment", choices=EXPERIMENTS, default="voices",
        help="voices: clean and in noise; difficult: childlike, whispered, with music, "
        "by a laptop's microphone, clipped")  # fmt: skip
    add("--target", type=_target, action="append", default=[], metavar="VOICE=FOLDER",
        help="held-out speech of a voice, instead of that of its recipe")  # fmt: skip
    add("--work", type=Path, default=WORK, help="folder for intermediate files")
    add("--out", type=Path, help="folder for table.md (one in the work folder)")
    add("--pictures", type=Path, help="folder for pictures (as --out)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

"""Makes the streaming encoder: ``python -m training.encoder --speech LIBRISPEECH``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from voicegraph.training.common import hama
from voicegraph.training.common.jobs import run
from voicegraph.training.encoder import _augmented_copies as augmented_copies
from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder import _targets as targets
from voicegraph.training.encoder import _tts_corpus as tts_corpus
from voicegraph.training.encoder._distributed import gathered
from voicegraph.training.encoder._export import export
from voicegraph.training.encoder._workdir import Place
from voicegraph.training.encoder._worker_task import Task
from voicegraph.training.voice.train import Budget

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "pipelines" / "models" / "phonetic.safetensors"
STEPS, SENTENCES = 2800, 350
"""With which the encoder that comes along was made."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    given = _parser().parse_args(arguments)
    place = Place(given.work / "encoder")
    prepare(place, given)
    if given.until == "targets":
        return 0
    torch.set_num_threads(1 if given.processes > 1 else given.threads)
    device = torch.device(given.device)
    task = Task(place, Budget(given.minutes or 0.0, _steps(given)), given.seed)
    with gathered(given.processes if device.type == "cpu" else 1, device, task) as crew:
        training = task.training(crew)
        print("held out:", ", ".join(f"{name} {one}" for name, one in training.run().items()))
    export(training, hama.tokens(), given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")
    return 0


def prepare(place: Place, given: argparse.Namespace) -> None:
    """Everything before training."""
    many = given.processes
    downloads = given.work / "downloads"
    run("books", librispeech.bring, librispeech.jobs(place, given.speech), many)
    run(
        "chorus",
        kokoro_corpus.say,
        kokoro_corpus.jobs(place, downloads, given.sentences, given.seed),
        many,
    )
    run("reader", tts_corpus.read, tts_corpus.jobs(place, downloads), many)
    run("copies", augmented_copies.make, augmented_copies.jobs(place, given.seed), many)
    run("targets", targets.make, targets.jobs(place), many)


def _steps(given: argparse.Namespace) -> int | None:
    return None if given.minutes else given.steps


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="a folder with LibriSpeech's .flac files")
    add("--work", type=Path, default=HERE.parent / "work", help="for all that is made on the way")
    add("--out", type=Path, default=OUT, help="the encoder's file (pipelines/models/...)")
    add("--minutes", type=float, help="of training, instead of steps")
    add("--steps", type=int, default=STEPS, help=f"of training ({STEPS})")
    add("--sentences", type=int, default=SENTENCES, help=f"the chorus says ({SENTENCES})")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="of one thread each, also for training")
    add("--threads", type=int, default=1, help="for training in one process")
    add("--device", default="cpu", help="for training: cpu or cuda")
    add("--until", choices=["targets", "end"], default="end", help="the last step to run")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

"""Makes the streaming encoder: ``python -m training.encoder --speech LIBRISPEECH``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from voicegraph.training.common import hama
from voicegraph.training.common.jobs import run_jobs
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.encoder import _augmented_copies as augmented_copies
from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder import _targets as targets
from voicegraph.training.encoder import _tts_corpus as tts_corpus
from voicegraph.training.encoder._distributed import worker_group
from voicegraph.training.encoder._export import export
from voicegraph.training.encoder._workdir import EncoderWorkdir
from voicegraph.training.encoder._worker_task import TrainingTask

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "pipelines" / "models" / "phonetic.safetensors"
STEPS, SENTENCES = 2800, 350
"""Defaults, with which the bundled encoder was made."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    given = _parser().parse_args(arguments)
    workdir = EncoderWorkdir(given.work / "encoder")
    prepare(workdir, given)
    if given.until == "targets":
        return 0
    torch.set_num_threads(1 if given.processes > 1 else given.threads)
    device = torch.device(given.device)
    task = TrainingTask(workdir, Budget(given.minutes or 0.0, _steps(given)), given.seed)
    with worker_group(given.processes if device.type == "cpu" else 1, device, task) as worker:
        training = task.training(worker)
        print("held out:", ", ".join(f"{name} {one}" for name, one in training.run().items()))
    export(training, hama.tokens(), given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")
    return 0


def prepare(workdir: EncoderWorkdir, given: argparse.Namespace) -> None:
    """Everything before training."""
    many = given.processes
    downloads = given.work / "downloads"
    run_jobs("books", librispeech.import_utterance, librispeech.jobs(workdir, given.speech), many)
    run_jobs(
        "chorus",
        kokoro_corpus.synthesize,
        kokoro_corpus.jobs(workdir, downloads, given.sentences, given.seed),
        many,
    )
    run_jobs("reader", tts_corpus.synthesize, tts_corpus.jobs(workdir, downloads), many)
    run_jobs("copies", augmented_copies.make, augmented_copies.jobs(workdir, given.seed), many)
    run_jobs("targets", targets.make, targets.jobs(workdir), many)


def _steps(given: argparse.Namespace) -> int | None:
    return None if given.minutes else given.steps


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="a folder with LibriSpeech's .flac files")
    add("--work", type=Path, default=HERE.parent / "work", help="folder for intermediate files")
    add("--out", type=Path, default=OUT, help="the encoder's file (pipelines/models/...)")
    add("--minutes", type=float, help="of training, instead of steps")
    add("--steps", type=int, default=STEPS, help=f"of training ({STEPS})")
    add("--sentences", type=int, default=SENTENCES, help=f"read by Kokoro ({SENTENCES})")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="of one thread each, also for training")
    add("--threads", type=int, default=1, help="for training in one process")
    add("--device", default="cpu", help="for training: cpu or cuda")
    add("--until", choices=["targets", "end"], default="end", help="the last step to run")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

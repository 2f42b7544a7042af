"""Makes the streaming encoder: ``python -m training.encoder --speech LIBRISPEECH``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from voicegraph.graph.errors import VoicegraphError
from voicegraph.training.common.jobs import run_jobs
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.encoder import _alignment as alignment
from voicegraph.training.encoder import _augmented_copies as augmented_copies
from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder import _targets as targets
from voicegraph.training.encoder import _transcripts as transcripts
from voicegraph.training.encoder import _tts_corpus as tts_corpus
from voicegraph.training.encoder import _whisper_basis as whisper_basis
from voicegraph.training.encoder._distributed import worker_group
from voicegraph.training.encoder._export import export
from voicegraph.training.encoder._learning_curves import draw
from voicegraph.training.encoder._recipes import RECIPES, EncoderRecipe
from voicegraph.training.encoder._workdir import EncoderWorkdir
from voicegraph.training.encoder._worker_task import TrainingTask

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "pipelines" / "models"
BUNDLED = MODELS / "phonetic.safetensors"
"""The encoder in the package."""
FIRST = "phonetic-1"
"""The recipe by default."""
STEPS = ("books", "reader", "chorus", "copies", "transcripts", "basis", "targets", "classifier")
STEPS = (*STEPS, "alignment", "train")


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    parser = _parser()
    given = parser.parse_args(arguments)
    recipe = RECIPES[given.recipe]
    workdir = EncoderWorkdir(given.work / "encoder", recipe.name)
    steps = _steps(workdir, recipe, given)
    steps["train"] = lambda: _train(workdir, recipe, given)
    if given.only and given.only not in steps:
        parser.error(f"--only {given.only}: {recipe.name} has the steps {', '.join(steps)}")
    try:
        for step in [given.only] if given.only else steps:
            steps[step]()
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None
    return 0


def _steps(
    workdir: EncoderWorkdir, recipe: EncoderRecipe, given: argparse.Namespace
) -> dict[str, Callable[[], None]]:
    """The steps before training by name, in their order."""
    many, seed = given.processes, given.seed
    sentences, readings = given.sentences or recipe.sentences, given.readings or recipe.readings
    downloads = given.work / "downloads"
    work = {
        "books": (librispeech.import_utterance, lambda: librispeech.jobs(workdir, given.speech)),
        "reader": (tts_corpus.synthesize, lambda: tts_corpus.jobs(workdir, readings, seed)),
        "chorus": (
            kokoro_corpus.synthesize,
            lambda: kokoro_corpus.jobs(workdir, downloads, sentences, seed),
        ),
        "copies": (augmented_copies.make, lambda: augmented_copies.jobs(workdir, seed)),
    }
    if recipe.aligned:
        work["transcripts"] = (transcripts.make, lambda: transcripts.jobs(workdir))
    if recipe.teacher == "whisper":
        work["basis"] = (whisper_basis.make, lambda: whisper_basis.jobs(workdir))
    work["targets"] = (targets.make, lambda: targets.jobs(workdir, recipe.teacher))
    if recipe.aligned:
        work["classifier"] = (
            alignment.fit_classifier,
            lambda: alignment.classifier_jobs(workdir),
        )
        work["alignment"] = (alignment.make, lambda: alignment.jobs(workdir))
    return {
        title: lambda title=title, make=make, jobs=jobs: run_jobs(title, make, jobs(), many)
        for title, (make, jobs) in work.items()
    }


def _train(workdir: EncoderWorkdir, recipe: EncoderRecipe, given: argparse.Namespace) -> None:
    torch.set_num_threads(1 if given.processes > 1 else given.threads)
    device = torch.device(given.device)
    steps = None if given.minutes else given.steps or recipe.steps
    first = given.first or (BUNDLED if recipe.continues else None)
    task = TrainingTask(workdir, Budget(given.minutes or 0.0, steps), given.seed, first)
    with worker_group(given.processes if device.type == "cpu" else 1, device, task) as worker:
        training = task.training(worker)
        print("held out:", ", ".join(f"{name} {one}" for name, one in training.run().items()))
    out = given.out or MODELS / f"{recipe.name}.safetensors"
    export(training, recipe, out, first if recipe.continues else None)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    draw(workdir.log, workdir.curves)
    print(workdir.curves)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="a folder with LibriSpeech's .flac files")
    add("--recipe", choices=list(RECIPES), default=FIRST, help=f"of the encoder ({FIRST})")
    add("--first", type=Path, help="the encoder that training starts with (the recipe's)")
    add("--work", type=Path, default=HERE.parent / "work", help="folder for intermediate files")
    add("--out", type=Path, help="the encoder's file (pipelines/models/...)")
    add("--minutes", type=float, help="of training, instead of steps")
    add("--steps", type=int, help="of training (the recipe's)")
    add("--sentences", type=int, help="read by Kokoro (the recipe's)")
    add("--readings", type=int, help="sentences read by hibari-tts (the recipe's)")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="of one thread each, also for training")
    add("--threads", type=int, default=1, help="for training in one process")
    add("--device", default="cpu", help="for training: cpu or cuda")
    add("--only", choices=STEPS, metavar="STEP", help=f"run one step: {', '.join(STEPS)}")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

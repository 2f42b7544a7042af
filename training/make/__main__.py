"""Makes a bundled voice: ``python -m training.make heart``. See docs/training.md."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from voicegraph.graph.errors import VoicegraphError
from voicegraph.training.common.jobs import run_jobs
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.corpora import read_sentences
from voicegraph.training.make.recipes import RECIPES, Recipe
from voicegraph.training.voice import export, training_steps
from voicegraph.training.voice.adversarial_finetune import AdversarialFinetuning
from voicegraph.training.voice.prepared_speech import PreparedSpeech
from voicegraph.training.voice.workdir import Workdir

HERE = Path(__file__).parent
VOICES = HERE.parents[1] / "pipelines" / "voices"


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    try:
        return _run(arguments)
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None


def _run(arguments: list[str] | None) -> int:
    given = _parser().parse_args(arguments)
    recipe = RECIPES[given.voice]
    workdir = Workdir(given.work / recipe.name)
    speech = prepare(recipe, workdir, given)
    if given.until == "features":
        return 0
    torch.set_num_threads(given.threads)
    budget = _budget(given.minutes, given.steps, recipe.steps)
    training = training_steps.open_training(speech, budget, given.seed)
    _tell("held out", training.run())
    if given.polish != 0:
        finetuning = AdversarialFinetuning(
            training, _budget(given.polish, given.polish_steps, recipe.finetune_steps)
        )
        _tell("held out, fine-tuned", finetuning.run())
    target = given.out or VOICES / f"{recipe.name}.safetensors"
    export.export(training, recipe.about, speech, target, given.seed)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


def _budget(minutes: float | None, steps: int | None, usual: int) -> Budget:
    """The minutes or steps that were given, or else the recipe's steps."""
    return Budget(minutes or 0.0, None if minutes else steps or usual)


def _tell(what: str, losses: dict[str, float]) -> None:
    print(f"{what}:", ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items()))


def prepare(recipe: Recipe, workdir: Workdir, given: argparse.Namespace) -> PreparedSpeech:
    """Everything before training.

    Raises:
        SystemExit: if not all sentences can be processed.
    """
    downloads, many = given.work / "downloads", given.processes
    count = given.sentences or recipe.sentences
    missing = read_sentences.jobs(workdir, recipe.speaker, downloads, count)
    run_jobs("speech", read_sentences.synthesize_sentence, missing, many)
    speech = training_steps.prepare(workdir, given.seed, many)
    if speech.failed:
        raise SystemExit("\n".join(f"sentence {n}: {why}" for n, why in speech.failed.items()))
    return speech


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.make", description=__doc__)
    add = parser.add_argument
    add("voice", choices=sorted(RECIPES))
    add(
        "--work",
        type=Path,
        default=HERE.parent / "work",
        help="folder for intermediate files",
    )
    add("--out", type=Path, help="the voice's file (pipelines/voices/VOICE.safetensors)")
    add("--minutes", type=float, help="of training, instead of steps")
    add("--steps", type=int, help="of training (the recipe's)")
    add(
        "--polish",
        type=float,
        help="minutes of adversarial fine-tuning, instead of steps; 0 skips it",
    )
    add("--polish-steps", type=int, help="of adversarial fine-tuning after training (the recipe's)")
    add("--sentences", type=int, help="how many the voice reads")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="of one thread each, for everything but training")
    add("--threads", type=int, default=1, help="for training")
    add("--until", choices=["features", "end"], default="end", help="the last step to run")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

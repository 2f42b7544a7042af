"""Makes a voice: ``python -m training.make heart``. See README.md."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from . import contours, export, features, perturb, prosody, speech
from .jobs import run
from .material import Material, Utterance, read
from .recipes import RECIPES, Recipe
from .train import Budget, Training
from .workplace import Workplace

HERE = Path(__file__).parent
VOICES = HERE.parent / "pipelines" / "voices"
HELD_OUT = 30
"""Every so many-th part of the utterances is held out: 30 of 620."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    given = _parser().parse_args(arguments)
    recipe = RECIPES[given.voice]
    place = Workplace(given.work / recipe.name)
    prepare(recipe, place, given)
    if given.until == "features":
        return 0
    torch.set_num_threads(given.threads)
    minutes = given.minutes or recipe.minutes
    training = trained(place, Budget(minutes, given.steps), given.seed)
    target = given.out or VOICES / f"{recipe.name}.safetensors"
    export.export(training, recipe, place, target, given.seed)
    return 0


def prepare(recipe: Recipe, place: Workplace, given: argparse.Namespace) -> None:
    """Everything before training."""
    downloads, many = given.work / "downloads", given.processes
    count = given.sentences or recipe.sentences
    said = speech.jobs(place, recipe.speaker, downloads, count)
    run("speech", speech.speak, said, many)
    run("contours", contours.measure, contours.jobs(place), many)
    run("copies", perturb.perturb, perturb.jobs(place, given.seed), many)
    run("features", features.listen, features.jobs(place, given.seed), many)


def trained(place: Workplace, budget: Budget, seed: int) -> Training:
    """The voice's training, run to the end of its budget."""
    learned, held_out = divided(place.spoken())
    lies = prosody.measured(place, learned)
    training = Training(
        place,
        Material(_read(place, learned), seed),
        _read(place, held_out),
        budget,
        export.sizes(lies),
    )
    found = training.run()
    print("held out:", ", ".join(f"{name} {loss:.4f}" for name, loss in found.items()))
    return training


def divided(numbers: list[int]) -> tuple[list[int], list[int]]:
    """Utterances to learn from, and those held out: evenly spread."""
    every = max(len(numbers) // HELD_OUT, 2)
    held_out = numbers[every // 2 :: every][:HELD_OUT]
    return [number for number in numbers if number not in set(held_out)], held_out


def _read(place: Workplace, numbers: list[int]) -> list[Utterance]:
    return [read(place, number) for number in numbers]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.make", description=__doc__)
    add = parser.add_argument
    add("voice", choices=sorted(RECIPES))
    add("--work", type=Path, default=HERE / "work", help="folder for all that is made on the way")
    add("--out", type=Path, help="the voice's file (pipelines/voices/VOICE.safetensors)")
    add("--minutes", type=float, help="of training; the learning rate is stretched over them")
    add("--steps", type=int, help="of training, instead of minutes: the same on every run")
    add("--sentences", type=int, help="how many the voice reads")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="for all but training, of one thread each")
    add("--threads", type=int, default=1, help="for training")
    add("--until", choices=["features", "end"], default="end", help="the last step to run")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

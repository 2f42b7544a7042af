"""Makes the network of ``dsp.speech_level``: ``python -m training.speech_level``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.nodes.dsp.speech_level_network import WEIGHTS
from voicegraph.training.common.jobs import run_jobs
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.evaluate import clips, librispeech
from voicegraph.training.speech_level._examples import read_examples, write_examples
from voicegraph.training.speech_level._train import SpeechLevelTraining

HERE = Path(__file__).parent
_SHARD = 500
"""Examples of a file."""
_HELD_OUT = 400
_MISSING = {
    "examples": "to learn from; these speakers are held out for validation: ",
    "held out": "of a speaker for validation; at least one of these is needed: ",
}
ABOUT = {
    "title": "network of dsp.speech_level: the share of speech in a sound",
    "licence": "MIT, as voicegraph",
    "source": (
        "made by training/speech_level of recordings of LibriSpeech (V. Panayotov et al., 2015, "
        "CC BY 4.0) with synthetic rooms and noises"
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps that are not done yet."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.examples < 1 or given.steps < 1:
        parser.error("--examples and --steps take a number from 1 on")
    work: Path = given.work / "speech_level"
    try:
        shards = _write_examples(work, given)
    except VoicegraphError as error:
        raise SystemExit(str(error)) from None
    _train(work, shards, given)
    return 0


def _write_examples(work: Path, given: argparse.Namespace) -> dict[str, list[Path]]:
    """The files of the examples to learn from, and of those that are held out."""
    held = librispeech.held_out_speakers()
    parts: dict[str, list[Path]] = {"examples": [], "held out": []}
    for file in librispeech.recordings(given.speech):
        parts["held out" if clips.speaker(file.stem) in held else "examples"].append(file)
    for name, files in parts.items():
        if not files:
            raise SystemExit(
                f"{given.speech} has no recording {_MISSING[name]}{', '.join(sorted(held))}"
            )
    whole, rest = divmod(given.examples, _SHARD)
    counts = {"examples": [_SHARD] * whole + [rest] * (rest > 0), "held out": [_HELD_OUT]}
    shards = {name: _shards(work, name, counts[name]) for name in parts}
    for number, (name, files) in enumerate(parts.items()):
        jobs = [
            (path, files, count, given.seed * 1000 + 500 * number + index)
            for index, (path, count) in enumerate(zip(shards[name], counts[name], strict=True))
            if not path.exists()
        ]
        run_jobs(name, write_examples, jobs, given.processes)
    return shards


def _shards(work: Path, name: str, counts: list[int]) -> list[Path]:
    return [work / name.replace(" ", "-") / f"{n:03d}.npz" for n in range(len(counts))]


def _train(work: Path, shards: dict[str, list[Path]], given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    training = SpeechLevelTraining(
        work / "checkpoint.pt",
        work / "losses.jsonl",
        read_examples(shards["examples"]),
        read_examples(shards["held out"]),
        Budget(0.0, given.steps),
        given.seed,
    )
    print("held out:", ", ".join(f"{name} {one}" for name, one in training.run().items()))
    weights = {name: one.half().contiguous() for name, one in training.network.state_dict().items()}
    with atomic_write(given.out, force=True) as path:
        save_file(weights, path, ABOUT)
    print(f"{given.out}: {given.out.stat().st_size / 1e3:.0f} kB")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.speech_level", description=__doc__)
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="a folder with LibriSpeech's .flac files")
    add("--work", type=Path, default=HERE.parent / "work", help="folder for intermediate files")
    add("--out", type=Path, default=WEIGHTS, help="the network's file (pipelines/models/...)")
    add("--examples", type=int, default=12000, help="of 4 s each (12000)")
    add("--steps", type=int, default=3600, help="of training (3600)")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="that make examples")
    add("--threads", type=int, default=2, help="of training")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

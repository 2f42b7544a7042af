"""How long a block of ``rvc`` takes against RVC's own order of work, on the same weights.

    python tools/models.py MODELS
    python tools/reference_order.py MODELS
    python tools/reference_order.py MODELS --threads 1 --rounds 20 --json order.json

The reference (``reference_network.py``) is RVC's real-time path in plain PyTorch: weight norm at
each call, all frames, all layers, SDPA attention as in transformers' HuBERT. Both sides compute one
block of 250 ms with 2.5 s of context, full size, from 2.81 s of speech: the encoder, the
synthesizer, and the two in a row. F0, retrieval, resampling and the crossfade cost both sides the
same and are left out. The two take turns in one process, and their outputs must agree. With one
thread the time is CPU time, which other programs hardly disturb; with more it is wall time.

Exit code 1 if they do not agree; with ``--within RATIO``, also if the whole takes longer than that.
Other processors are imitated by ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SPEECH = ROOT / "pipelines" / "audio" / "librispeech-8088-284756-0000.flac"
WINDOW_SAMPLES, SKIP, COUNT = 44960, 250, 30
"""2.81 s at 16 kHz; in frames of 10 ms, the first one that is decoded, and their number."""
AGREEMENT = {"encoder": 1e-4, "synthesizer": 1e-4, "whole": 1e-3}
"""Largest difference: of features, as in the tests against RVC's own numbers; of samples."""
STAGES = tuple(AGREEMENT)


class Row(NamedTuple):
    """A stage on both sides: milliseconds, and the largest difference of the outputs.

    Attributes:
        ratio: median of the product by median of the reference.
        ratio_least: the same of the least times, which disturbances change less.
    """

    stage: str
    reference: float
    product: float
    reference_least: float
    product_least: float
    difference: float

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return self.product / self.reference

    @property
    def ratio_least(self) -> float:
        """Of the least times."""
        return self.product_least / self.reference_least


Call = Callable[[], Any]
Clock = Callable[[], float]


def sides(folder: Path, voice: str) -> dict[str, tuple[Call, Call]]:
    """Reference and product of each stage."""
    import numpy as np
    import soundfile
    import soxr
    import torch
    from reference_network import ReferenceHubert, ReferenceVoice

    from voicegraph.nodes.content._hubert_network import HubertNetwork
    from voicegraph.nodes.content._hubert_weights import load_hubert
    from voicegraph.nodes.content.encoder_file import open_encoder
    from voicegraph.nodes.layers.network import form_for
    from voicegraph.nodes.synth.network import VoiceNetwork, Window
    from voicegraph.nodes.synth.pitch_bins import coarse_pitch
    from voicegraph.nodes.synth.voice_file import open_voice
    from voicegraph.nodes.synth.voice_network import load_voice

    cpu, float32 = torch.device("cpu"), torch.float32
    encoder_file = open_encoder(folder / "hubert_base.pt")
    voice_file = open_voice(folder / f"voice_{voice}.pth")
    config = voice_file.card.config
    hubert = ReferenceHubert(encoder_file.read(12, False), 12)
    synth = ReferenceVoice(voice_file.tensors(), tuple(config.upsample_rates), config.n_layers)
    encoder = load_hubert(encoder_file, 12, False, cpu, form_for(HubertNetwork, cpu, float32))
    network = load_voice(voice_file.archive.path, cpu, form_for(VoiceNetwork, cpu, float32)).network

    samples, rate = soundfile.read(SPEECH, dtype="float32")
    audio = soxr.resample(samples, rate, 16000)[-WINDOW_SAMPLES:].astype(np.float32)
    window = torch.from_numpy(np.ascontiguousarray(audio))[None]
    f0 = 180 + 40 * torch.linspace(0, 12, SKIP + COUNT + 1)[None].sin()
    bins, wave = coarse_pitch(f0), network.source(f0[:, SKIP : SKIP + COUNT])
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(1, config.inter_channels, f0.shape[1] - SKIP + 24, generator=generator)
    span = Window(SKIP, COUNT)
    noise = 0.66666 * drawn
    used = noise[:, :, : span.prior_frames(f0.shape[1])]

    def to_frames(features: torch.Tensor) -> torch.Tensor:
        """The last frame again, and every frame twice: 100 Hz."""
        longer = torch.cat((features, features[:, -1:]), 1)
        return longer.repeat_interleave(2, 1)[:, : f0.shape[1]]

    def reference(content: torch.Tensor) -> torch.Tensor:
        return synth(content, bins, wave, SKIP, COUNT, noise)

    def product(content: torch.Tensor) -> torch.Tensor:
        return network(content, bins, wave, 0, span, used)

    content = to_frames(hubert(window))
    return {
        "encoder": (lambda: hubert(window), lambda: encoder(window)),
        "synthesizer": (lambda: reference(content), lambda: product(content)),
        "whole": (
            lambda: reference(to_frames(hubert(window))),
            lambda: product(to_frames(encoder(window))),
        ),
    }


def compare(stage: str, calls: tuple[Call, Call], rounds: int, clock: Clock) -> Row:
    """Runs the two sides in turns; each also begins half of the rounds."""
    expected, found = (call() for call in calls)
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            begun = clock()
            calls[side]()
            taken[side].append((clock() - begun) * 1e3)
    return Row(
        stage,
        *(statistics.median(times) for times in taken),
        *(min(times) for times in taken),
        difference=float((expected - found).abs().max()),
    )


def table(rows: list[Row]) -> str:
    """A line for each stage."""
    lines = ["stage         reference          product            ratio   (least)  difference"]
    for row in rows:
        times = [f"{row.reference:7.1f} [{row.reference_least:6.1f}] ms"]
        times.append(f"{row.product:7.1f} [{row.product_least:6.1f}] ms")
        lines.append(
            f"{row.stage:12}{times[0]}{times[1]}   {row.ratio:.2f}   ({row.ratio_least:.2f})"
            f"    {row.difference:.1e}"
        )
    return "\n".join(lines)


def _report(rows: list[Row], threads: int) -> dict[str, Any]:
    import torch

    stages = [row._asdict() | {"ratio": row.ratio, "ratio_least": row.ratio_least} for row in rows]
    return {
        "processor": torch.cpu.get_capabilities().get("cpu_name", ""),
        "isa": os.environ.get("ONEDNN_MAX_CPU_ISA", "all"),
        "threads": threads,
        "torch": torch.__version__,
        "stages": stages,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A block of rvc against RVC's order of work.")
    parser.add_argument("models", type=Path, help="the folder that tools/models.py wrote")
    parser.add_argument("--voice", default="v2_48k", help="version and rate (v2_48k)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12, help="of each side (12)")
    parser.add_argument("--within", type=float, metavar="RATIO", help="the most the whole may take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Compares and prints; 0 if outputs agree, and the whole is within the ratio."""
    sys.path[:0] = [str(ROOT / ".dev"), str(ROOT / "tools")]
    parser = _parser()
    given = parser.parse_args(arguments)
    needed = [given.models / name for name in ("hubert_base.pt", f"voice_{given.voice}.pth")]
    if missing := [path for path in needed if not path.exists()]:
        parser.error(f"{missing[0]} is missing\n  fix: python tools/models.py {given.models}")
    if given.threads < 1 or given.rounds < 1:
        parser.error("--threads and --rounds count from 1")
    import torch

    torch.set_num_threads(given.threads)
    with torch.inference_mode():
        calls = sides(given.models, given.voice)
        clock = time.thread_time if given.threads == 1 else time.perf_counter
        rows = [compare(stage, calls[stage], given.rounds, clock) for stage in STAGES]
    kind = "CPU time of one thread" if given.threads == 1 else f"{given.threads} threads, wall time"
    print(f"{kind}, {given.rounds} rounds: median [least]")
    print(table(rows))
    if given.json:
        text = json.dumps(_report(rows, given.threads), indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")
    apart = [row for row in rows if not row.difference <= AGREEMENT[row.stage]]
    for row in apart:
        most = AGREEMENT[row.stage]
        print(f"{row.stage}: differs by {row.difference:.1e}, at most {most:.0e}", file=sys.stderr)
    slow = given.within is not None and rows[-1].ratio > given.within
    if slow:
        print(f"whole: {rows[-1].ratio:.2f}, at most {given.within:g}", file=sys.stderr)
    return int(bool(apart) or slow)


if __name__ == "__main__":
    sys.exit(main())

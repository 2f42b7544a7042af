"""What windows of other lengths cost, with the instructions of several processors.

    python tools/window_cost.py
    python tools/window_cost.py --isa AVX2 --layers "positional convolution" --json cost.json

A shorter window must not cost more than a longer one. It does where a packed layer holds its weight
in a layout that oneDNN does not want for that size: the weight is then laid out anew at each call.
Which sizes are hit depends on the processor, so oneDNN is held back to other instruction sets, one
process each. The networks have full size (HuBERT base; an RVC voice of version 2, 48 kHz) and
random weights.

The time is CPU time of one thread, the least of the rounds; the lengths take turns. Exit code
1 if a window costs more than 1.15 times a longer one, or nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numerics import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
MOST = 1.15
"""A shorter window may cost this many times a longer one: two sizes in one tile, and noise."""
SETS = {
    "AVX2": ("avx2", "avx2", "AVX2"),
    "AVX512_CORE": ("avx512_f", "avx512", "AVX512"),
    "AVX512_CORE_VNNI": ("avx512_vnni", "avx512", "AVX512"),
    "AVX512_CORE_BF16": ("avx512_bf16", "avx512", "AVX512"),
    "AVX512_CORE_AMX": ("amx_tile", "avx512", "AVX512"),
}
"""oneDNN's name -> what the processor must have, and the same limit for PyTorch and for MKL."""
SECONDS = (0.3, 0.5, 0.8, 1.0, 1.3, 1.5, 1.64, 1.76, 1.94, 2.3, 2.82, 3.6, 4.5, 6.0)
"""Windows of the encoder: from the shortest in use, densely where packings change."""
DECODED = (0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.24, 0.3, 0.4, 0.6)
"""Spans that a decoder decodes: a block and its overlap."""
Call = Callable[[], object]
Costs = dict[float, float]
"""Seconds of audio -> milliseconds of one thread."""


def layers() -> dict[str, Callable[[], dict[float, Call]]]:
    """What is measured by name: a function that makes a call for each length."""
    return {
        "encoder": _encoder,
        "positional convolution": _position,
        "text encoder": _text_encoder,
        "decoder": _decoder,
    }


def _encoder() -> dict[float, Call]:
    import torch

    from voicegraph.nodes.content._hubert_network import HubertNetwork

    network = _packed(HubertNetwork(_base_sizes(), 12, False))
    audio = {s: torch.randn(1, round(16000 * s)) * 0.1 for s in SECONDS}
    return {s: lambda x=x: network(x) for s, x in audio.items()}


def _position() -> dict[float, Call]:
    import torch

    from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution
    from voicegraph.nodes.layers.packed_grouped_convolution import PackedGroupedConvolution

    layer = PackedGroupedConvolution(_drawn(GroupedConvolution(768, 16, 128)))
    given = {s: torch.randn(1, int(50 * s), 768) for s in SECONDS}
    return {s: lambda x=x: layer(x) for s, x in given.items()}


def _text_encoder() -> dict[float, Call]:
    import torch

    network = _voice().enc_p
    made = {}
    for seconds in SECONDS:
        frames = round(100 * seconds)
        content, bins = torch.randn(1, frames, 768), torch.full((1, frames), 60)
        made[seconds] = lambda x=content, b=bins: network(x, b, 0)
    return made


def _decoder() -> dict[float, Call]:
    import torch

    network, made = _voice(), {}
    for seconds in DECODED:
        frames = round(100 * seconds)
        z, source = torch.randn(1, 192, frames), torch.randn(1, 1, 480 * frames) * 0.1
        made[seconds] = lambda z=z, s=source: network.dec(z, s, network.decoder_biases[0])
    return made


def _base_sizes() -> Any:
    from voicegraph.nodes.content.hubert_sizes import HubertSizes

    return HubertSizes((512,) * 7, (10, 3, 3, 3, 3, 2, 2), 768, 3072, 12, 12, 128, 16, 256)


def _voice() -> Any:
    from models import config

    from voicegraph.nodes.synth.network import VoiceNetwork
    from voicegraph.schemas.voice_card import VoiceConfig

    network = _drawn(VoiceNetwork(VoiceConfig.from_list(config("v2_48k")), 768, True, 1))
    network.fold()
    return _packed(network)


def _drawn(module: Any) -> Any:
    """A module with small random weights: values do not matter, but must not be denormal."""
    for parameter in module.requires_grad_(False).parameters():
        parameter.normal_(0, 0.02)
    return module


def _packed(network: Any) -> Any:
    import torch

    from voicegraph.nodes.layers.form import PACKED_FLOAT32
    from voicegraph.nodes.layers.network import into_form

    drawn = network if hasattr(network, "decoder_biases") else _drawn(network)
    return into_form(drawn, torch.device("cpu"), PACKED_FLOAT32)


def measured(calls: Mapping[float, Call], rounds: int) -> Costs:
    """The least time of each call; they take turns, so that a disturbance hits all alike."""
    least: Costs = dict.fromkeys(calls, float("inf"))
    for number in range(rounds + 1):
        for seconds, call in calls.items():
            begun = time.thread_time()
            call()
            taken = (time.thread_time() - begun) * 1e3
            if number:  # the first packs the weights
                least[seconds] = min(least[seconds], taken)
    return least


def worst(costs: Costs) -> tuple[float, float, float]:
    """The largest ratio of a shorter window's cost to a longer one's, and the two lengths."""
    pairs = [(a, b) for a in costs for b in costs if a < b]
    return max((costs[a] / costs[b], a, b) for a, b in pairs)


def measure_here(names: Sequence[str], rounds: int) -> dict[str, Costs]:
    """The costs in this process, which its environment limits to an instruction set."""
    import torch

    torch.set_num_threads(1)
    with torch.inference_mode():
        known = layers()
        return {name: measured(known[name](), rounds) for name in names}


def lacks(instructions: str) -> str:
    """Why this processor cannot imitate one with these instructions; empty if it can."""
    import torch

    has = torch.cpu.get_capabilities().get(SETS[instructions][0], False)
    return "" if has else f"this processor has no {SETS[instructions][0]}"


def measure(instructions: str, names: Sequence[str], rounds: int) -> dict[str, Costs]:
    """The costs in a process of its own that is held back to an instruction set.

    Raises:
        RuntimeError: if that process fails.
    """
    _, aten, mkl = SETS[instructions]
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    held = {
        "ONEDNN_MAX_CPU_ISA": instructions,
        "ATEN_CPU_CAPABILITY": aten,
        "MKL_ENABLE_INSTRUCTIONS": mkl,
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, __file__, "--here", "--rounds", str(rounds), "--layers", *names]
    done = subprocess.run(command, env=kept | held, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{instructions}: measuring failed\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    return {name: {float(s): cost for s, cost in costs.items()} for name, costs in found.items()}


def table(found: Mapping[str, Mapping[str, Costs]]) -> str:
    """The cost of every length, and the worst ratio."""
    lines = []
    for instructions, of_layers in found.items():
        for name, costs in of_layers.items():
            ratio, short, long = worst(costs)
            verdict = "" if ratio <= MOST else f"   above {MOST:g}"
            lines.append(
                f"{instructions}, {name}: at most {ratio:.2f} ({short:g} s to {long:g} s){verdict}"
            )
            lines.append("  " + "  ".join(f"{s:g} s {ms:.3g}" for s, ms in costs.items()) + " ms")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measures and prints; 0 if no window costs more than a longer one."""
    sys.path[:0] = [str(ROOT / ".dev"), str(ROOT / "tools")]
    parser = argparse.ArgumentParser(
        description="What windows of other lengths cost, by instruction set."
    )
    parser.add_argument("--isa", nargs="+", choices=SETS, default=list(SETS), metavar="NAME",
                        help=f"of {', '.join(SETS)}; all if none")  # fmt: skip
    parser.add_argument("--layers", nargs="+", choices=layers(), default=list(layers()),
                        metavar="NAME", help=f"of {', '.join(layers())}; all if none")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=20, help="of which the least counts (20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the costs there, too")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error(f"--rounds {given.rounds}: at least 1")
    if given.here:
        print(json.dumps(measure_here(given.layers, given.rounds)))
        return 0
    found: dict[str, dict[str, Costs]] = {}
    for instructions in given.isa:
        if why := lacks(instructions):
            print(f"{instructions}: not run: {why}", flush=True)
            continue
        found[instructions] = measure(instructions, given.layers, given.rounds)
        print(table({instructions: found[instructions]}), flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not found:
        print("no verdict: nothing was measured", file=sys.stderr)
        return 1
    ratios = [worst(costs)[0] for of_layers in found.values() for costs in of_layers.values()]
    return int(max(ratios) > MOST)


if __name__ == "__main__":
    sys.exit(main())

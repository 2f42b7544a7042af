"""Compares every number of the reference with ours, and writes ``docs/parity.md``.

    python tools/parity.py            # about two minutes, 2 GB of temporary files
    python tools/parity.py --check    # writes nothing; fails where a tolerance is exceeded

Weights are made up (``tools/fill.py``), written as files in the forms that people have, and loaded
as theirs are. Everything random is switched off.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import runpy
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voicegraph import Pipeline, node
from voicegraph.graph.metrics.sample_difference import largest_difference

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "data" / "reference"
PAGE = ROOT / "docs" / "parity.md"
VOICES = ("v1_40k_f0", "v1_40k_nof0", "v2_32k_f0", "v2_40k_nof0", "v2_48k_f0")
CPU = torch.device("cpu")
models = runpy.run_path(str(ROOT / "tools" / "models.py"))
ties = runpy.run_path(str(ROOT / "tools" / "neighbour_ties.py"))


FEATURES = 3e-4
"""Features and salience, of up to 4: rounding of float32 in a dozen layers of thousands of products
each, 7e-5 of the largest value (``tests/tolerance.py``)."""
SPECTRUM = 2.4e-6
"""Of the loudest mel band: rounding of an FFT and of sums of its bins."""
INAUDIBLE = 10 ** (-96 / 20)
"""Sound: a step of a 16-bit file."""
BLENDED = 1e-4
"""Features: rounding in distances of 256 numbers, squared and inverted, on values of up to 4."""
TENTH_OF_A_CENT = 0.1
EQUAL = 0.0
"""Bins, places, and what is computed in float64."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison; the numbers are in the units of what is compared."""

    what: str
    found: np.ndarray
    expected: np.ndarray
    tolerance: float

    @property
    def difference(self) -> float:
        """The largest one; infinite where shapes differ, without any value, and with NaN."""
        return largest_difference(self.expected, self.found)


def _reference(name: str) -> Any:
    return np.load(REFERENCE / f"{name}.npz")


def hubert(folder: Path) -> Iterator[Row]:
    """Both sets of names, both versions of voices."""
    for names, file in {"hf": "hubert.bin", "fairseq": "hubert_base.pt"}.items():
        weights = models["encoder"](names)
        torch.save(
            {"args": None, "model": weights} if names == "fairseq" else weights, folder / file
        )
        expected = _reference(f"hubert_{names}")
        for version, (layer, project) in {"v1": (9, True), "v2": (12, False)}.items():
            params = {"weights": str(folder / file), "layer": layer, "project": project}
            pipeline = Pipeline(
                block="1s",
                input={"rate": 16000},
                nodes={"content": node("content.hubert", "input", **params)},
                output="content",
            )
            with pipeline.session(warm_up=False) as session:
                found = session.process(expected["audio_16k"])
            what = f"`content.hubert`, {names} names, {version}"
            yield Row(what, found[: len(expected[version])], expected[version], FEATURES)


def synthesizer(folder: Path) -> Iterator[Row]:
    """Whole, a window of it, and the window with the formants moved."""
    from voicegraph.nodes.layers.network import form_for
    from voicegraph.nodes.synth.network import VoiceNetwork, Window
    from voicegraph.nodes.synth.voice_network import load_voice

    form = form_for(VoiceNetwork, CPU, torch.float32)
    for name in VOICES:
        kind, f0 = name[:6], name.endswith("_f0")
        file = folder / f"{name}.pth"
        torch.save(models["voice"](kind, f0), file)
        network = load_voice(file, CPU, form).network
        data = _reference(f"synth_{name}")
        content, f0_hz = (torch.from_numpy(data[key])[None] for key in ("phone", "pitchf"))
        bins = torch.from_numpy(data["pitch"])[None] if f0 else None
        skip, count, moved = (
            int(data[key]) for key in ("skip_head", "return_length", "formant_length")
        )
        spans = {
            "full": (Window(0, content.shape[1]), None),
            "window": (Window(skip, count), None),
            "window_formant": (Window(skip, count), moved),
        }
        for key, (window, frames) in spans.items():
            heard = f0_hz[:, window.skip : window.skip + window.count]
            wave = network.source(heard) if f0 else None
            with torch.inference_mode():
                made = network(content, bins, wave, int(data["sid"]), window, frames=frames)
            what = f"`synth.rvc`, {name.replace('_', ' ')}, {key.replace('_', ' ')}"
            yield Row(what, made[0, 0].numpy(), data[key], INAUDIBLE)
        file.unlink()


def rmvpe(folder: Path) -> Iterator[Row]:
    """Spectrum, salience, and F0 from salience."""
    from voicegraph.nodes.f0 import salience_bins as bins
    from voicegraph.nodes.f0.rmvpe import Rmvpe, RmvpeParams

    shapes = json.loads((REFERENCE / "rmvpe.keys.json").read_text(encoding="utf-8"))
    file = folder / "rmvpe.pt"
    torch.save(models["filled"](shapes), file)
    data = _reference("rmvpe")
    made = Rmvpe()
    made.load(RmvpeParams.model_validate({"weights": file}), CPU, torch.float32)
    with torch.inference_mode():
        mel = made.mel(torch.from_numpy(data["audio_16k"])[None])
        salience = made.network(torch.from_numpy(data["mel"])[None])
    # Before the logarithm, which blows up rounding where nothing sounds; the network on what was
    # recorded, for the same reason.
    magnitude = np.exp(data["mel"])
    largest = SPECTRUM * float(magnitude.max())
    yield Row("`f0.rmvpe`, mel magnitude", np.exp(mel[0].numpy()), magnitude, largest)
    yield Row("`f0.rmvpe`, salience", salience[0].numpy(), data["salience"], FEATURES / 4)
    f0 = bins.decode(torch.from_numpy(data["peaked"]), bins.crepe_cents(), 0.03)
    within = float(data["f0"].max()) * (2 ** (TENTH_OF_A_CENT / 1200) - 1)
    yield Row("`f0.rmvpe`, F0 in Hz", f0.numpy(), data["f0"], within)


def pitch_bins(_: Path) -> Iterator[Row]:
    """F0 to the bins of the pitch embedding."""
    from voicegraph.nodes.synth.pitch_bins import coarse_pitch

    data = _reference("coarse_pitch")
    found = coarse_pitch(torch.from_numpy(data["f0"])).numpy()
    yield Row("`synth.rvc`, bins of F0", found, data["coarse"], EQUAL)


def retrieval(_: Path) -> Iterator[Row]:
    """The blend of eight neighbours, alone and mixed with what came."""
    from voicegraph.graph.intervals import Interval
    from voicegraph.graph.ports import PortSpec
    from voicegraph.graph.signals import Features
    from voicegraph.nodes.retrieval.faiss import Faiss, FaissParams

    data = _reference("retrieval")
    queries = torch.from_numpy(data["queries"])[None]
    span = Interval(Fraction(-queries.shape[1], 50), Fraction(0))
    spec = PortSpec(Features(Fraction(50), queries.shape[2]), span, span, True)
    made = Faiss()
    made.given, made.asked = {"content": spec}, {"out": spec}
    for key, rate in {"retrieved": 1.0, "blended": float(data["index_rate"])}.items():
        given = {"index": REFERENCE / "retrieval.index", "rate": rate}
        params = FaissParams.model_validate(given)
        made.ports(params)
        made.prepare(params)
        made.load(params, CPU, torch.float32)
        found = made.process({"content": queries}, params, None)["out"][0]
        yield Row(f"`retrieval.faiss`, {key}", found.numpy(), data[key], BLENDED)


def chain(folder: Path) -> Iterator[Row]:
    """``pipelines/rvc.yaml``, block by block."""
    data = _reference("chain_v2_40k")
    meta = json.loads(str(data["meta"]))
    torch.save(models["voice"]("v2_40k"), folder / "voice.pth")
    pipeline = Pipeline.load(
        "rvc",
        {
            "block": "250ms", "input.rate": 16000, "vars.extra": "1s", "vars.crossfade": "50ms",
            "vars.voice": str(folder / "voice.pth"), "assets.hubert": str(folder / "hubert.bin"),
            "vars.index": str(REFERENCE / "chain_v2_40k.index"),
            "vars.index_rate": meta["index_rate"], "vars.noise_scale": 0, "vars.source_noise": 0,
        },
    )  # fmt: skip
    content: list[np.ndarray] = []
    taps = {"voice.audio": [], "sola.offset": [], "pitch.pitch": []}
    output = []
    with pipeline.session(warm_up=False) as session:
        for block in data["source_16k"].reshape(-1, meta["block_16k"])[: meta["blocks"]]:
            output.append(session.process(block, taps=[*taps, "content.content"]))
            content.append(session.taps["content.content"][0].copy())
            for tap, found in taps.items():
                found.append(session.taps[tap].ravel())
    raw, offsets, pitch = (np.stack(found) for found in taps.values())
    tied = ties["tied_blocks"](REFERENCE / "chain_v2_40k.index", content)
    yield from _beside_ties("`rvc`, synthesizer output", raw, data["raw"], tied)
    yield Row("`rvc`, SOLA offsets", offsets[:, 0].astype(np.int64), data["offsets"], EQUAL)
    yield Row("`rvc`, F0 in Hz", pitch, data["pitchf"], EQUAL)
    # The crossfade begins with the end of the block before.
    tied[1:] |= tied[:-1]
    wanted = data["output"].reshape(len(output), -1)
    yield from _beside_ties("`rvc`, output", np.stack(output), wanted, tied)


def _beside_ties(
    what: str, found: np.ndarray, expected: np.ndarray, tied: np.ndarray
) -> Iterator[Row]:
    """Blocks ``[blocks, samples]`` without and with a tie of neighbours, where there are any."""
    yield Row(what, found[~tied], expected[~tied], INAUDIBLE)
    if tied.any():
        what = f"{what}, {tied.sum()} of {len(tied)} blocks that a tie of neighbours reaches"
        yield Row(what, found[tied], expected[tied], ties["EXCHANGED"])


PARTS = (hubert, synthesizer, rmvpe, pitch_bins, retrieval, chain)


def rows() -> list[Row]:
    """All of them, printed as they come."""
    found = []
    with tempfile.TemporaryDirectory(prefix="voicegraph-") as folder:
        for part in PARTS:
            for row in part(Path(folder)):
                print(f"{row.difference:10.2e}  of {row.tolerance:g}  {row.what}", flush=True)
                found.append(row)
    return found


def page(found: list[Row]) -> str:
    """``docs/parity.md``."""
    lines = [
        "# Parity with the reference",
        "",
        "The largest differences from the numbers that RVC's own code gives on the same weights,",
        "with everything random switched off. Made by `python tools/parity.py`: weights are made",
        "up, sizes are the real ones, and files are loaded as people's are.",
        "",
        f"PyTorch {torch.__version__} on the CPU, {torch.get_num_threads()} threads, float32,",
        f"{platform.system()} {platform.machine()}.",
        "",
        "| what | largest difference | tolerance | largest value |",
        "|---|---|---|---|",
    ]
    for row in found:
        tolerance = "equal" if row.tolerance == EQUAL else f"{row.tolerance:.2g}"
        largest = f"{np.abs(row.expected).max():.3g}"
        lines.append(f"| {row.what} | {row.difference:.1e} | {tolerance} | {largest} |")
    lines += [
        "",
        "The chain was recorded at one size. At others, with formants moved, pitch transposed and",
        "another speaker, `tests/pipelines/test_rvc_sizes.py` holds the pipeline against RVC's own",
        "loop, spelled out in its terms. It shares the networks with the nodes: it checks which",
        "samples and frames reach them. Where extra, crossfade and search together are less than",
        "50 ms, RVC tracks the pitch on less than it asks for; here it is tracked on all.",
        "",
        "Where the eighth and ninth neighbours of a frame are equally far but for the last bits,",
        "either one is right, and processors differ; such blocks have rows of their own.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    chosen = parser.parse_args()
    found = rows()
    if not chosen.check:
        PAGE.write_text(page(found), encoding="utf-8", newline="\n")
    if not found:
        sys.exit("nothing was compared")
    worse = [row.what for row in found if row.difference > row.tolerance]
    if worse:
        sys.exit(f"beyond the tolerance: {', '.join(worse)}")


if __name__ == "__main__":
    main()

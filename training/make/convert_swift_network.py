"""Converts the network of swift-f0 to ``pipelines/models/swift-f0.safetensors``.

    python training/make/convert_swift_network.py [--wheel FILE] [--out FILE]

Needs ``pip install onnx``. Without ``--wheel``, pip downloads the wheel from PyPI. Its checksum is
compared in either case. Nothing in it is installed or run; only the tensors of its network are
read.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from voicegraph.nodes.f0.swift_network import WEIGHTS, WINDOWS

PACKAGE, VERSION = "swift-f0", "0.3.0"
WHEEL = "swift_f0-0.3.0-py3-none-any.whl"
SHA256 = "d7240c7c94b1d3e8f0e0cd2701b79be89a0f23a19cd5f944895a6518ecad72f3"
NETWORK = "swift_f0/model.onnx"
ABOUT = {
    "title": f"pitch network of {PACKAGE} {VERSION}",
    "licence": "MIT, Copyright (c) 2025-2026 Lars Nieradzik",
    "source": (
        f"{NETWORK} of the package {PACKAGE} {VERSION} on PyPI, wheel sha256 {SHA256}, "
        "https://github.com/lars76/swift-f0; converted by training/make/convert_swift_network.py: "
        "names and layout of the tensors changed, values kept"
    ),
}
IMAGES = (
    ("first", "v353", "v354"),
    ("blocks.0.first", "v357", "v358"),
    ("blocks.0.second", "v361", "v362"),
    ("blocks.1.first", "v366", "v367"),
    ("blocks.1.second", "v370", "v371"),
    ("blocks.2.first", "v375", "v376"),
    ("blocks.2.second", "v379", "v380"),
    ("blocks.3.first", "v384", "v385"),
    ("blocks.3.second", "v388", "v389"),
    ("blocks.4.first", "v393", "v394"),
    ("blocks.4.second", "v397", "v398"),
    ("blocks.5.first", "v402", "v403"),
    ("blocks.5.second", "v406", "v407"),
    ("head", "v413", "v414"),
    ("peaks", "v417", "v418"),
)
"""Convolutions over bands and time, with their weight and bias in the package's file."""
OTHERS = (
    ("pitch", "v425", "v426", (1, 4)),
    ("near", "v430", "v431", (16, 5 * 3)),
    ("voicing", "v434", "v435", (1, 16)),
)
"""Other layers, with the shape of their weight."""
BANDS = {1024: ("v123", "v124"), 2048: ("v241", "v242"), 512: ("v342", "v343")}
"""Places and values of the weights of the spectra's bands, by window: the place in a matrix
``[bins, COUNT]``."""
COUNT = 128
"""Bands of a spectrum."""
PITCHES = "v455"


def main() -> None:
    """Downloads, checks, converts and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL}, if downloaded already")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = chosen.wheel or _download(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{wheel} is not the published {WHEEL}: its checksum differs")
        with zipfile.ZipFile(wheel) as archive:
            raw = archive.read(NETWORK)
    save_file(converted(_initializers(raw)), chosen.out, ABOUT)
    print(chosen.out)


def converted(held: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Tensors by our names: images become ``[frames, bands]``, bands stay sparse."""
    made = {"pitches": held[PITCHES]}
    for name, weight, bias in IMAGES:
        made[f"{name}.weight"] = held[weight].transpose(0, 1, 3, 2)
        made[f"{name}.bias"] = held[bias]
    for name, weight, bias, shape in OTHERS:
        made[f"{name}.weight"], made[f"{name}.bias"] = held[weight].reshape(shape), held[bias]
    made["bands.bins"], made["bands.shares"], made["bands.starts"] = _bands(held)
    return {name: torch.from_numpy(np.array(value, order="C")) for name, value in made.items()}


def _bands(held: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bins of all bands among the bins of all spectra, their weights, where a band begins."""
    bins, shares, starts, before = [], [], [0], 0
    for window in WINDOWS:
        place, weight = (held[name] for name in BANDS[window])
        order = np.lexsort((place // COUNT, place % COUNT))  # by band, then by bin
        bins.append(before + place[order] // COUNT)
        shares.append(weight[order])
        starts.extend(starts[-1] + np.cumsum(np.bincount(place % COUNT, minlength=COUNT)))
        before += window // 2 + 1
    return np.concatenate(bins).astype(np.int64), np.concatenate(shares), np.array(starts[:-1])


def _initializers(raw: bytes) -> dict[str, np.ndarray]:
    try:
        import onnx  # pyright: ignore[reportMissingImports]
    except ImportError:
        sys.exit("reading the network needs the package onnx: pip install onnx")
    graph = onnx.load_from_string(raw).graph
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def _download(folder: Path) -> Path:
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*fetch, f"{PACKAGE}=={VERSION}"], check=True)
    return folder / WHEEL


if __name__ == "__main__":
    main()

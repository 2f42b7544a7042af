"""The phone recogniser of the package hama: teacher of the encoder, and judge of what it says.

Nothing of the package is run: of its one file of weights, names, shapes and numbers are read.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork, PhoneticSizes

from .third_party_packages import TO_SPEAK, folder

WEIGHTS, WORDS = "assets/asr_waveform.hama", "assets/g2p_vocab.json"
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


@functools.cache
def network() -> PhoneticNetwork:
    """The whole network, in float32.

    Raises:
        SystemExit: with what to type, if the package is not installed.
    """
    tensors = dict(renamed(dict(unpack((_package() / WEIGHTS).read_bytes()))))
    sizes = PhoneticSizes.of({name: tuple(held.shape) for name, held in tensors.items()}, HEADS)
    made = PhoneticNetwork(sizes).eval()
    made.load_state_dict({name: held.float() for name, held in tensors.items()})
    return made.requires_grad_(False)


def tokens() -> tuple[str, ...]:
    """What its outputs mean, in IPA; the last one is ``<blank>``.

    Raises:
        SystemExit: with what to type, if the package is not installed.
    """
    return (*json.loads((_package() / WORDS).read_bytes())["decoder"], "<wb>", "<blank>")


def _package() -> Path:
    return folder("hama", TO_SPEAK)


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

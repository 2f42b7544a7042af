"""The phone recognizer of the package hama: the encoder's teacher, and a metric for voices.

No code of the package runs: names, shapes and values are read from its file of weights.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork, PhoneticSizes

WEIGHTS, WORDS = "assets/asr_waveform.hama", "assets/g2p_vocab.json"
HEADS = 4
"""Attention heads. No tensor tells their number; with any other, the output is wrong altogether."""
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
"""Names inside a block: hama's, and those of :class:`PhoneticNetwork`."""
_PRODUCTS = ("before.up", "before.down", "attention.inputs", "attention.output", "after.up")
_PRODUCTS = (*_PRODUCTS, "after.down")
"""The unnamed matrices of a block in the order of the file, each ``[inputs, outputs]``."""


def load_network(folder: Path) -> PhoneticNetwork:
    """The network in float32.

    Args:
        folder: of the installed package.
    """
    tensors = dict(rename_tensors(dict(unpack((folder / WEIGHTS).read_bytes()))))
    sizes = PhoneticSizes.of({name: tuple(held.shape) for name, held in tensors.items()}, HEADS)
    made = PhoneticNetwork(sizes).eval()
    made.load_state_dict({name: held.float() for name, held in tensors.items()})
    return made.requires_grad_(False)


def tokens(folder: Path) -> tuple[str, ...]:
    """The meanings of its outputs, in IPA; the last one is ``<blank>``. Args as above."""
    return (*json.loads((folder / WORDS).read_bytes())["decoder"], "<wb>", "<blank>")


def unpack(data: bytes) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of a ``.hama`` file, in its order.

    Eight bytes of magic and version and the number of tensors; for each the length of its name, the
    name, one byte each for type and number of axes, their sizes, offset and bytes; then, from the
    next multiple of 16 on, the values.

    Raises:
        ValueError: if it is not such a file.
    """
    if data[:8] != _MAGIC:
        raise ValueError("not a .hama file of a known version")
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


def rename_tensors(packed: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``asr_waveform.hama`` by the names of ``PhoneticNetwork.state_dict()``.

    The tables of its Fourier transform are left out; they depend on its size alone.
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

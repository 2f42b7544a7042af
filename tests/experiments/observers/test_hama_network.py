"""Reading hama's weights, from which the bundled encoder was distilled."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from voicegraph.experiments.observers.hama_network import HEADS, rename_tensors, unpack
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork, PhoneticSizes

HIDDEN, INNER, TAPS, MELS, TOKENS = 8, 12, 5, 6, 7


def _packed(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """A ``.hama`` file: float32 where a tensor is, else float16."""
    head, values = b"HAMAPK\x01\x02" + struct.pack("<I", len(tensors)), b""
    for name, tensor in tensors.items():
        kind = 0 if tensor.dtype == torch.float32 else 1
        raw = tensor.numpy().tobytes()
        head += struct.pack("<H", len(name)) + name.encode() + bytes([kind, tensor.ndim])
        head += struct.pack(f"<{tensor.ndim}I", *tensor.shape)
        head += struct.pack("<QQ", len(values), len(raw))
        values += raw
    return head + bytes(-len(head) % 16) + values


def _theirs() -> dict[str, torch.Tensor]:
    """Tensors by the names and in the order of the package, small ones."""
    chance = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=chance).half()

    made = {"mel_fb": draw(201, MELS).float(), "stft_real_kernel": draw(201, 1, 400)}
    for i in range(4):
        own = f"acoustic_model.model.blocks.{i}."
        norms = ("ffn1.norm", "attn_norm", "conv.norm", "ffn2.norm", "norm")
        made |= {f"{own}{n}.{leaf}": draw(HIDDEN) for n in norms for leaf in ("weight", "bias")}
        biases = {"ffn1.fc1": INNER, "ffn1.fc2": HIDDEN, "ffn2.fc1": INNER, "ffn2.fc2": HIDDEN}
        made |= {f"{own}{n}.bias": draw(width) for n, width in biases.items()}
        made |= {f"{own}attn.in_proj_bias": draw(3 * HIDDEN)}
        made |= {f"{own}attn.out_proj.bias": draw(HIDDEN)}
        for name, width in {"conv.pointwise1": 2 * HIDDEN, "conv.pointwise2": HIDDEN}.items():
            made |= {
                f"{own}{name}.weight": draw(width, HIDDEN, 1),
                f"{own}{name}.bias": draw(width),
            }
    made["acoustic_model.model.proj.weight"] = draw(TOKENS, HIDDEN, 1)
    made["acoustic_model.model.proj.bias"] = draw(TOKENS)
    kernels = [(HIDDEN, MELS, 3), *[(HIDDEN, 1, TAPS)] * 4]
    for number, kernel in enumerate(kernels):
        made[f"onnx::Conv_{801 + 3 * number}"] = draw(*kernel)
        made[f"onnx::Conv_{802 + 3 * number}"] = draw(HIDDEN)
    up, down = (HIDDEN, INNER), (INNER, HIDDEN)
    products = [up, down, (HIDDEN, 3 * HIDDEN), (HIDDEN, HIDDEN), up, down]
    for number, shape in enumerate(products * 4):
        made[f"onnx::MatMul_{829 + number}"] = draw(*shape)
    return made


def test_unpack_reads_names_and_values() -> None:
    theirs = _theirs()
    found = dict(unpack(_packed(theirs)))
    assert list(found) == list(theirs)
    assert all(torch.equal(found[name], tensor) for name, tensor in theirs.items())


def test_other_file_formats_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not a \.hama file"):
        list(unpack(b"PK\3\4" + bytes(100)))


def test_every_tensor_gets_its_new_name() -> None:
    theirs = _theirs()
    tensors = dict(rename_tensors(theirs))
    sizes = PhoneticSizes.of({k: tuple(v.shape) for k, v in tensors.items()}, HEADS)
    assert sizes == PhoneticSizes(MELS, HIDDEN, INNER, 4, TAPS, TOKENS, HEADS)
    network = PhoneticNetwork(sizes)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    found = tensors["blocks.2.after.down.weight"]  # the last of the third block
    np.testing.assert_array_equal(found, theirs[f"onnx::MatMul_{829 + 17}"].T)
    np.testing.assert_array_equal(
        tensors["blocks.1.convolution.depth.bias"], theirs["onnx::Conv_808"]
    )

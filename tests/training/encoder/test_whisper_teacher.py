"""Whisper's encoder of weights in a CTranslate2 file, against CTranslate2 itself."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.experiments.observers.whisper_spectrogram import log_mel
from voicegraph.training.encoder import _whisper_network as whisper_network
from voicegraph.training.encoder import _whisper_teacher as whisper_teacher
from voicegraph.training.encoder._ctranslate2_file import read_variables

RATE = 16000


def _model(variables: dict[str, np.ndarray], version: int = 6) -> bytes:
    """A file as ctranslate2 writes it."""

    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    types = {"<f4": 0, "<i2": 2, "<f2": 4}
    parts = [struct.pack("<I", version), text("WhisperSpec"), struct.pack("<II", 3, len(variables))]
    for name, values in variables.items():
        axes = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        kind = struct.pack("<BI", types[values.dtype.str], values.nbytes)
        parts += [text(name), axes, kind, values.tobytes()]
    return b"".join([*parts, struct.pack("<I", 0)])


def _variables(random: np.random.Generator, width: int = 128) -> dict[str, np.ndarray]:
    """Those of an encoder with 8 bands and two layers."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv1/weight": (width, 8, 3), "conv1/bias": (width,),
        "conv2/weight": (width, width, 3), "conv2/bias": (width,),
        "position_encodings/encodings": (40, width),
        "layer_norm/gamma": (width,), "layer_norm/beta": (width,),
    }  # fmt: skip
    for layer in range(2):
        for part, wide, narrow in (("self_attention", 3, 1), ("ffn", 4, 4)):
            at = f"layer_{layer}/{part}"
            shapes |= {f"{at}/layer_norm/{one}": (width,) for one in ("gamma", "beta")}
            shapes |= {
                f"{at}/linear_0/weight": (wide * width, width),
                f"{at}/linear_0/bias": (wide * width,),
                f"{at}/linear_1/weight": (width, narrow * width),
                f"{at}/linear_1/bias": (width,),
            }
    made = {name: random.standard_normal(shape) / 8 for name, shape in shapes.items()}
    return {f"encoder/{name}": held.astype("<f2") for name, held in made.items()} | {
        "encoder/num_heads": np.array(2, "<i2"),
        "decoder/other": np.zeros(3, "<f4"),
    }


def test_wanted_variables_are_read(tmp_path: Path) -> None:
    held = {"encoder/a": np.arange(6, dtype="<f2").reshape(2, 3), "decoder/b": np.ones(2, "<f4")}
    path = tmp_path / "model.bin"
    path.write_bytes(_model(held))
    found = read_variables(path, lambda name: name.startswith("encoder/"))
    assert list(found) == ["encoder/a"]
    assert np.array_equal(found["encoder/a"], held["encoder/a"])


@pytest.mark.parametrize("broken", ["version", "cut"])
def test_broken_file_is_refused(broken: str, tmp_path: Path) -> None:
    whole = _model({"a": np.ones(4, "<f4")}, version=5 if broken == "version" else 6)
    path = tmp_path / "model.bin"
    path.write_bytes(whole if broken == "version" else whole[:-9])
    with pytest.raises(ValueError, match="version 6" if broken == "version" else "cut off"):
        read_variables(path, lambda _name: True)


def test_layers_add_up_to_the_output(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(_model(_variables(np.random.default_rng(1))))
    held = read_variables(path, lambda name: name.startswith("encoder/"))
    network = whisper_network.build({n.removeprefix("encoder/"): v for n, v in held.items()})
    spectrogram = torch.randn(2, 8, 60, generator=torch.Generator().manual_seed(1))
    last = network(spectrogram, 2)
    assert last.shape == (2, 30, 128)
    torch.testing.assert_close(network(spectrogram), network.norm(last))
    torch.testing.assert_close(network.layers[1](network(spectrogram, 1)), last)


def test_output_is_that_of_ctranslate2() -> None:
    runtime = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    models = pytest.importorskip(whisper_teacher.PACKAGE, reason="the weights are not installed")
    theirs = runtime.models.Whisper(
        str(Path(models.__file__).parent / "model"), compute_type="float32", intra_threads=1
    )
    spectrogram = log_mel(0.1 * np.random.default_rng(1).standard_normal(2 * RATE).astype("f4"))
    wanted = theirs.encode(runtime.StorageView.from_array(spectrogram[None]), to_cpu=True)
    found = whisper_teacher.network()(torch.from_numpy(spectrogram)[None])
    difference = found.numpy() - np.array(wanted)
    # float32 on either side, of features with a spread of about 1
    assert np.abs(difference).max() < 1e-3


def test_features_are_those_of_the_whole_network() -> None:
    pytest.importorskip(whisper_teacher.PACKAGE, reason="the weights are not installed")
    audio = 0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    found = whisper_teacher.features(audio, 4)
    assert found.shape == (51, 384)
    with pytest.raises(ValueError, match="too many"):
        whisper_teacher.features(np.zeros(whisper_teacher.LONGEST + 1, np.float32), 4)

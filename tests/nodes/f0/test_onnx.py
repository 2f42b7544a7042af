"""``f0.onnx``: every signature, the numbers of ``f0.rmvpe``, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, WeightsError
from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.nodes.content._onnx_example import encoder
from voicegraph.nodes.f0 import _onnx_example as example
from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0.mel import FFT, LogMel
from voicegraph.nodes.f0.onnx import OnnxPitch, OnnxPitchParams
from voicegraph.nodes.f0.rmvpe import Rmvpe, RmvpeParams
from voicegraph.nodes.layers.mel_filters import mel_filters

test_conformance = conformance.suite("f0.onnx", slow=("growth",))

Save = Callable[[bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(data: bytes) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.onnx"
        path.write_bytes(data)
        return path

    return save


def _plan(path: Path, use: str = "f0.onnx", **params: Any) -> Plan:
    nodes = {"f0": {"use": use, "in": "input", "params": {"weights": str(path), **params}}}
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="f0").compile()


def _audio(seconds: float = 1.0) -> np.ndarray:
    times = np.arange(int(16000 * seconds)) / 16000
    return (0.3 * np.sin(2 * np.pi * 150 * times)).astype(np.float32)


def _pitch(path: Path, **params: Any) -> np.ndarray:
    with _plan(path, **params).session() as session:
        return session.push(_audio())


@pytest.mark.parametrize("name", ["salience", "waveform", "mel", "frames"])
def test_every_signature_gives_pitch_within_the_limits(save: Save, name: str) -> None:
    path = save(getattr(example, name)())
    found = _pitch(path, threshold=0.0, floor=120.0, ceiling=290.0, fill=False)
    voiced = found[found > 0]
    assert len(voiced) > 0
    assert voiced.min() >= 120
    assert voiced.max() <= 290


@pytest.mark.parametrize("name", ["salience", "waveform", "mel", "frames"])
def test_nothing_is_voiced_above_the_highest_threshold(save: Save, name: str) -> None:
    assert not _pitch(save(getattr(example, name)()), threshold=1.0, fill=False).any()


def test_salience_is_decoded_as_in_rmvpe(save: Save) -> None:
    path = save(example.salience())
    audio = torch.from_numpy(_audio(0.63))[None]  # 64 frames
    mel = LogMel(mel_filters(128, 30, 8000, htk=True, fft=FFT), FFT // 2)(audio)
    weight = torch.from_numpy(_constant(example.salience(), "weight", (128, 360)))
    salience = torch.sigmoid(mel.transpose(1, 2) @ weight)
    expected = salience_bins.decode(salience, salience_bins.crepe_cents(), 0.03)
    with _plan(path, fill=False).session() as session:
        loaded = session.engine.by_name["f0"]
        found = loaded.node.estimate_all(loaded.params, audio)  # pyright: ignore[reportAttributeAccessIssue]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)  # 0.2 cents: sums of 128


def _constant(data: bytes, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of an example, found by the end of its name in the file."""
    marker = builder.tensor(name, np.zeros(shape, np.float32))
    head = marker[: len(marker) - 4 * int(np.prod(shape))]
    start = data.index(head) + len(head)
    return np.frombuffer(data, np.float32, int(np.prod(shape)), start).reshape(shape).copy()


def test_spans_are_those_of_rmvpe(save: Save, tmp_path: Path) -> None:
    rmvpe_example.write(tmp_path / "rmvpe.pt")
    ours, other = OnnxPitch(), Rmvpe()
    for context in ("0ms", "55ms"):
        mine = OnnxPitchParams.model_validate({"weights": save(example.mel()), "context": context})
        its = RmvpeParams.model_validate({"weights": tmp_path / "rmvpe.pt", "context": context})
        for length in (10, 100, 335, 640):
            span = Interval(Fraction(-length, 1000), Fraction(0))
            request = Request(span, span)
            assert ours.gives(mine, request) == other.gives(its, request)


def test_thresholds_are_those_of_the_networks(save: Save) -> None:
    for name, usual in (("mel", 0.03), ("frames", 0.006)):
        with _plan(save(getattr(example, name)())).session() as session:
            loaded = session.engine.by_name["f0"]
            assert loaded.node._threshold(loaded.params) == usual  # pyright: ignore[reportAttributeAccessIssue]


def test_too_few_frames_are_refused_before_they_are_heard(save: Save) -> None:
    mean = builder.operator("ReduceMean", ["waveform"], ["pitchf"], {"axes": [1], "keepdims": 1})
    graph = builder.graph(
        [mean],
        [
            builder.value("waveform", "float32", [1, "n"]),
            builder.value("threshold", "float32", [1]),
        ],
        [builder.value("pitchf", "float32", [1, "t"])],
    )
    with pytest.raises(WeightsError, match=r"makes 1 frames; expected are \d+ every 10 ms"):
        _plan(save(builder.model(graph))).session()


def test_a_file_is_needed() -> None:
    nodes = {"f0": {"use": "f0.onnx", "in": "input"}}
    with pytest.raises(PipelineError, match=r"fix: --set assets\.rmvpe=RMVPE\.onnx"):
        Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="f0").compile()


def test_an_encoder_is_no_pitch_model(save: Save) -> None:
    with pytest.raises(PipelineError, match=r"ONNX content encoder.*but a pitch model"):
        _plan(save(encoder("audio", {"units": 256})))


def test_rmvpe_given_an_onnx_file_tells_the_other_node(save: Save) -> None:
    with pytest.raises(PipelineError, match=r"fix: --set nodes\.f0\.use=f0\.onnx"):
        _plan(save(example.mel()), use="f0.rmvpe")

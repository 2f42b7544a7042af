"""Audio in memory is converted as files are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from voicegraph.graph.errors import NodeFailedError
from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.files.sound.input_conversion import plan_conversion
from voicegraph.graph.files.sound.output_form import OutputForm
from voicegraph.graph.files.sound.sample_conversion import convert_samples
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio

from ....conftest import Register


@pytest.mark.parametrize("rate", [16000, 11025])
def test_samples_equal_those_of_a_converted_file(rate: int, tmp_path: Path) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * rate)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", noise, rate, subtype="FLOAT")
    pipeline = Pipeline(
        block="10ms", input={"rate": 48000}, output="quiet",
        nodes={"late": node("dsp.delay", "input", time="30ms"),
               "quiet": node("dsp.gain", "late", db=-6)},
    )  # fmt: skip
    form = OutputForm(subtype="FLOAT")
    convert_file(pipeline, tmp_path / "in.wav", tmp_path / "out.wav", form=form)
    wanted, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    kind = Audio(Fraction(rate), 1)
    made = convert_samples(plan_conversion(pipeline, kind), noise[None], kind)
    np.testing.assert_array_equal(made.samples, wanted[None])


def test_taps_lie_on_the_time_axis_of_the_clip() -> None:
    rate = 16000
    tone = np.sin(2 * np.pi * 200 * np.arange(rate) / rate).astype(np.float32)
    tone[: rate // 2] = 0
    pipeline = Pipeline(
        block="20ms", input={"rate": rate}, nodes={"same": node("dsp.gain", "input", db=0)},
        output="same",
    )  # fmt: skip
    kind = Audio(Fraction(rate), 1)
    made = convert_samples(plan_conversion(pipeline, kind), tone[None], kind, taps=["input"])
    series = made.taps["input"]
    np.testing.assert_array_equal(series.between(1.0).values[:, 0], tone)


class Raises(Node):
    """Fails in the second second."""

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs: Any, params: Any, state: Any) -> dict[str, torch.Tensor]:
        """Fails where the input is 1."""
        if float(inputs["audio"].max()) >= 1:
            raise ValueError("too loud")
        return {"out": inputs["audio"]}


def test_failure_says_at_which_second(scratch_registry: Register) -> None:
    scratch_registry("test.raises")(Raises)
    pipeline = Pipeline(
        block="10ms", input={"rate": 16000}, nodes={"bad": node("test.raises", "input")},
        output="bad",
    )  # fmt: skip
    samples = np.zeros((1, 48000), np.float32)
    samples[0, 24000] = 1
    kind = Audio(Fraction(16000), 1)
    with pytest.raises(NodeFailedError) as caught:
        convert_samples(plan_conversion(pipeline, kind), samples, kind)
    assert caught.value.node == "bad"
    assert caught.value.second == pytest.approx(1.5)

"""Two pipelines on the same sound: what is the same, what differs, and by how much."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph import Pipeline, compare, node
from voicegraph.graph.comparison import Clip, Comparison
from voicegraph.graph.errors import InputError, NodeFailedError, PipelineError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.node import Node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio, Features
from voicegraph.schemas.comparison_report import ComparisonReport, PortComparison

RATE = 16000
SPEECH = bundled_recording.speech(Audio(Fraction(RATE), 1))[:, RATE : 3 * RATE]
CLIP = Clip("speech", SPEECH, RATE)


def _pipeline(*chain: dict[str, Any], block: str = "10ms", **keys: Any) -> Pipeline:
    """A chain of nodes called ``n0``, ``n1`` and so on; the output is the last one."""
    nodes = {f"n{i}": entry for i, entry in enumerate(chain)}
    rate = keys.pop("rate", RATE)
    return Pipeline(
        block=block, input={"rate": rate}, nodes=nodes, output=f"n{len(chain) - 1}", **keys
    )


def _gain(db: float, source: str = "input") -> dict[str, Any]:
    return node("dsp.gain", source, db=db)


def _delay(time: str, source: str = "input") -> dict[str, Any]:
    return node("dsp.delay", source, time=time)


def _output(found: Comparison) -> PortComparison:
    assert found.report.together[0].port == "output"
    return found.report.together[0]


def test_equal_pipelines_are_identical() -> None:
    same = _pipeline(_gain(-3), _gain(-3, "n0"))
    found = compare(same, same, [CLIP])
    assert found.report.identical
    assert [port.port for port in found.report.together] == ["output", "n0.out"]
    assert all(port.identical and port.values == 2 * RATE for port in found.report.together)
    assert "A and B are the same plan" in found.report.notes
    assert "identical, bit by bit: 64000 values at 2 ports, the output included" in str(found)


@pytest.mark.parametrize("db", [-6.0, 0.5])
def test_gain_is_measured_as_gain(db: float) -> None:
    found = _output(compare(_pipeline(_gain(0)), _pipeline(_gain(db)), [CLIP]))
    factor = 10 ** (db / 20)
    measures = found.measures
    assert measures.gain_db == pytest.approx(db, abs=1e-4)
    assert measures.rel == pytest.approx(abs(factor - 1), rel=1e-4)
    assert measures.snr_db == pytest.approx(-20 * np.log10(abs(factor - 1)), abs=1e-3)
    assert measures.lsd_db == pytest.approx(abs(db), rel=0.2)  # less where the floor is reached
    assert (measures.cents, measures.voicing, measures.offset_ms) == (pytest.approx(0, abs=2), 1, 0)
    assert found.correlation == pytest.approx(1)
    assert not found.identical


def test_undeclared_delay_is_found_and_removed() -> None:
    """``dsp.delay`` does not declare its delay: it is meant."""
    found = _output(compare(_pipeline(_gain(0)), _pipeline(_delay("5ms")), [CLIP]))
    assert found.measures.offset_ms == 5
    assert found.measures.max == 0
    assert not found.identical
    back = _output(compare(_pipeline(_delay("5ms")), _pipeline(_gain(0)), [CLIP]))
    assert back.measures.offset_ms == -5
    assert back.measures.max == 0


def test_declared_latency_is_no_offset() -> None:
    limiter = node("dsp.limiter", "input", ceiling=0)  # looks ahead
    found = compare(_pipeline(_gain(0)), _pipeline(limiter), [CLIP])
    assert found.report.a.latency_ms < found.report.b.latency_ms
    assert _output(found).measures.offset_ms == 0
    assert _output(found).measures.max == pytest.approx(0, abs=1e-6)


def test_blocks_may_differ() -> None:
    found = compare(_pipeline(_gain(-6)), _pipeline(_gain(-6), block="25ms"), [CLIP])
    assert found.report.identical
    assert found.report.cost.blocks == [200, 80]


def test_rates_may_differ() -> None:
    found = compare(_pipeline(_gain(0)), _pipeline(_gain(0), rate=48000), [CLIP])
    assert _output(found).type == "audio 16000 Hz x1"
    snr = _output(found).measures.snr_db
    assert snr is not None
    assert snr > 35  # filters of two resamplings, which differ from 7 to 8 kHz
    assert _output(found).measures.offset_ms == 0
    assert "outputs differ in type" in found.report.notes[0]


def test_stereo_is_compared_in_both_channels() -> None:
    pair = Clip("pair", np.stack((SPEECH[0], SPEECH[0, ::-1])), RATE)
    one = Pipeline(
        block="10ms", input={"rate": RATE, "channels": 2}, nodes={"n": _gain(0)}, output="n"
    )
    found = _output(compare(one, one.changed({"nodes.n.params.db": -20}), [pair]))
    assert found.values == 4 * RATE
    assert found.measures.gain_db == pytest.approx(-20, abs=1e-3)
    mono = _output(compare(one, _pipeline(_gain(0)), [pair]))
    assert mono.type == "audio 16000 Hz x1"


def test_place_of_the_difference_is_named() -> None:
    step = SPEECH.copy()
    step[0, RATE : RATE + 400] += 0.9  # the limiter acts here
    limiter = node("dsp.limiter", "input", ceiling=-6)
    found = _output(compare(_pipeline(_gain(0)), _pipeline(limiter), [Clip("step", step, RATE)]))
    assert found.worst[0].second == pytest.approx(1, abs=0.05)
    assert found.worst[0].file == "step"


def test_ports_of_one_side_are_listed() -> None:
    a = _pipeline(_gain(0), _gain(-1, "n0"))
    b = Pipeline(
        block="10ms",
        input={"rate": RATE},
        nodes={
            "n0": node("dsp.resample", "input", rate=8000),
            "n1": node("dsp.resample", "n0", rate=RATE),
            "more": _gain(0, "n1"),
        },
        output="more",
    )
    found = compare(a, b, [CLIP])
    assert {port.port: port.why for port in found.report.not_compared} == {
        "n0.out": "audio 16000 Hz x1 in A, audio 8000 Hz x1 in B",
        "more.out": "only in B",
    }


def test_each_file_alone_and_all_together() -> None:
    loud = Clip("loud", np.clip(4 * SPEECH, -1, 1), RATE)
    limiter = node("dsp.limiter", "input", ceiling=-6)
    found = compare(_pipeline(_gain(0)), _pipeline(limiter), [CLIP, loud])
    one, two = (file.ports[0].measures for file in found.report.files)
    both = _output(found).measures
    assert found.report.worst_file == "loud"
    assert (one.rel or 0) < (both.rel or 0) < (two.rel or 0)
    assert both.max == two.max
    assert "loud (worst)" in str(found)


def test_seeds_that_differ_are_noted() -> None:
    hiss = {
        "hiss": node("io.noise", rate=RATE),
        "out": node("dsp.mix", {"dry": "input", "hiss": "hiss"}, gains={"dry": 0, "hiss": -40}),
    }
    keys: dict[str, Any] = {"block": "10ms", "input": {"rate": RATE}, "nodes": hiss}
    one = Pipeline(**keys, output="out", seed=1)
    assert compare(one, one, [CLIP]).report.identical
    other = compare(one, one.changed({"seed": 2}), [CLIP]).report
    assert not other.identical
    assert "seeds differ (1 and 2)" in other.notes[0]


def test_report_survives_json() -> None:
    found = compare(_pipeline(_gain(0)), _pipeline(_delay("5ms")), [CLIP], within=["snr>=30dB"])
    text = found.report.model_dump_json()
    assert ComparisonReport.model_validate_json(text) == found.report
    assert found.within
    assert found.report.limits[0].found is None
    assert found.report.limits[0].why == "infinite: A and B are equal"


# ---- what cannot be a judge ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "code", "said"),
    [
        (SPEECH[:, : RATE // 2], "too-short", "lasts 0.50 s, too short to judge by"),
        (np.zeros((1, 2 * RATE), np.float32), "silent", "is silent"),
        (np.full((1, 2 * RATE), 0.5, np.float32), "silent", "is silent"),
        (np.concatenate((SPEECH, -SPEECH)), "silent", "cancel each other"),
        (np.where(SPEECH > 0.1, np.nan, SPEECH), "not-finite", "holds NaN or infinity"),
    ],
    ids=["short", "silent", "constant", "antiphase", "nan"],
)
def test_some_sounds_judge_nothing(samples: np.ndarray, code: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        compare(_pipeline(_gain(0)), _pipeline(_gain(-1)), [Clip("this", samples, RATE)])
    assert refused.value.problems[0].code == code
    assert said in str(refused.value)


def test_silent_reference_judges_nothing() -> None:
    mute = _pipeline(_gain(-100))
    with pytest.raises(InputError, match="output of A, pipeline, is silent"):
        compare(mute, mute, [CLIP])
    found = compare(_pipeline(_gain(0)), mute, [CLIP], within=["snr>=10", "gain<=1dB"])
    assert [limit.ok for limit in found.report.limits] == [False, False]


class _Still(Node):
    """Passes audio, and gives zeros at another port."""

    audio = In(Audio)
    out = Out(Audio, like="audio")
    frames = Out(Features, rate=100, dim=2)

    def process(self, inputs: Any, params: Any, state: Any) -> Any:
        return {"out": inputs["audio"], "frames": torch.zeros(1, 1, 2)}


def test_silent_ports_are_not_compared(scratch_registry: Any) -> None:
    scratch_registry("test.still")(_Still)
    still = _pipeline(node("test.still", "input"), _gain(0, "n0"))
    found = compare(still, still, [CLIP])
    assert [port.port for port in found.report.together] == ["output", "n0.out"]
    assert found.report.not_compared[0].port == "n0.frames"
    assert found.report.not_compared[0].why == "0 throughout in A and B on speech"
    with pytest.raises(PipelineError, match=r"n0\.frames is not compared: 0 throughout"):
        compare(still, still, [CLIP], within=["n0.frames.snr>=10dB"])


# ---- faults ---------------------------------------------------------------------------------


class _Breaks(Node):
    """Gives NaN after a second at one of its outputs."""

    audio = In(Audio)
    out = Out(Audio, like="audio")
    frames = Out(Features, rate=100, dim=2)

    def process(self, inputs: Any, params: Any, state: Any) -> Any:
        frames = torch.zeros(1, 1, 2)
        if inputs["audio"].abs().max() > 0.3:
            frames[:] = torch.nan
        return {"out": inputs["audio"], "frames": frames}


def test_values_that_are_not_finite_are_located(scratch_registry: Any) -> None:
    scratch_registry("test.breaks")(_Breaks)
    breaks = _pipeline(node("test.breaks", "input"), _gain(0, "n0"))
    with pytest.raises(NodeFailedError) as failed:
        compare(breaks, breaks, [CLIP], names=("one", "two"))
    assert failed.value.node == "n0"
    text = str(failed.value)
    assert "n0.frames gave NaN or infinity in block" in text
    assert "in A, one, on speech" in text


def test_outputs_of_other_kinds_are_refused() -> None:
    f0 = _pipeline(node("f0.dio", "input"))
    with pytest.raises(PipelineError, match="these cannot be compared"):
        compare(_pipeline(_gain(0)), f0, [CLIP])
    found = compare(f0, f0.changed({"nodes.n0.params.floor": 100}), [CLIP])
    assert _output(found).measures.voicing is not None
    assert _output(found).measures.snr_db is None

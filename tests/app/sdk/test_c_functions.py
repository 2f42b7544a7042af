"""The functions behind the C interface, called with C data but without the compiled library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

cffi = pytest.importorskip("cffi")

from voicegraph.app.sdk import c_functions  # noqa: E402
from voicegraph.app.sdk._library_source import declarations  # noqa: E402
from voicegraph.graph.files.recordings.replay import replay  # noqa: E402
from voicegraph.graph.pipeline import Pipeline  # noqa: E402

ROOT = Path(__file__).resolve().parents[3] / "app" / "sdk"
GAIN = """\
block: 10ms
input: {rate: 48000, channels: 2}
nodes:
  low: {use: dsp.gain, in: input, params: {db: -6}}
output: low
profiles: {quiet: {nodes.low.params.db: -40}}
"""
OK, PIPELINE, STATE, SIGNAL, ARGUMENT, FRAMES = 0, 2, 7, 6, 20, 22


class Caller:
    """Calls functions with C data as the library does.

    Attributes:
        ffi: has the structs of the header.
        functions: what is called.
        err: the ``vg_error`` of the newest call.
    """

    def __init__(self) -> None:
        self.ffi = cffi.FFI()
        header = (ROOT / "include" / "voicegraph.h").read_text(encoding="utf-8")
        self.ffi.cdef(declarations(header, ""))
        self.functions = c_functions.CFunctions(self.ffi, own_interpreter=False)
        self.err = self.ffi.new("vg_error *")
        self._kept: list[Any] = []

    def text(self, value: str | bytes) -> Any:
        data = value if isinstance(value, bytes) else value.encode()
        self._kept.append(self.ffi.new("char[]", data))
        return self._kept[-1]

    def texts(self, values: list[str]) -> Any:
        self._kept.append(self.ffi.new("char *[]", [self.text(value) for value in values]))
        return self._kept[-1]

    def options(self, **members: Any) -> Any:
        for name, count in (("overrides", "override_count"), ("profiles", "profile_count")):
            if name in members:
                members |= {count: len(members[name]), name: self.texts(members[name])}
        return self.ffi.new("vg_options *", members)

    def open(self, pipeline: Path, **members: Any) -> int:
        options = self.options(**members)
        return self.functions.open(self.text(str(pipeline)), options, self.err)

    def process(self, handle: int, given: np.ndarray, frames_out: int, channels: int = 2) -> Any:
        out = np.full((frames_out, channels), 9, "f4")
        inside, outside = (self.ffi.from_buffer("char[]", a, False) for a in (given, out))
        code = self.functions.process(handle, inside, len(given), outside, frames_out, self.err)
        return code, out

    @property
    def message(self) -> str:
        return self.ffi.string(self.err.message).decode()


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def gain(tmp_path: Path) -> Path:
    path = tmp_path / "gain.yaml"
    path.write_text(GAIN, encoding="utf-8")
    return path


@pytest.fixture
def handle(caller: Caller, gain: Path) -> Iterator[int]:
    number = caller.open(gain)
    yield number
    caller.functions.close(number, caller.err)


def test_blocks_are_interleaved(caller: Caller, handle: int) -> None:
    given = np.random.default_rng(1).uniform(-0.5, 0.5, (480, 2)).astype("f4")
    code, out = caller.process(handle, given, 480)
    assert code == OK
    np.testing.assert_allclose(out, given * 10 ** (-6 / 20), rtol=1e-6)


def test_a_block_may_be_processed_in_place(caller: Caller, handle: int) -> None:
    data = np.ones((480, 2), "f4")
    pointer = caller.ffi.from_buffer("char[]", data, False)
    assert caller.functions.process(handle, pointer, 480, pointer, 480, caller.err) == OK
    np.testing.assert_allclose(data, 10 ** (-6 / 20), rtol=1e-6)


def test_an_address_need_not_be_aligned(caller: Caller, handle: int) -> None:
    memory = bytearray(4 * 480 * 2 + 1)
    pointer = caller.ffi.from_buffer("char[]", memory, True) + 1
    assert caller.functions.process(handle, pointer, 480, pointer, 480, caller.err) == OK


def test_a_wrong_count_is_refused_and_the_output_silent(caller: Caller, handle: int) -> None:
    code, out = caller.process(handle, np.ones((479, 2), "f4"), 480)
    assert code == FRAMES
    assert "480 frames in and 480 frames out, not 479 and 480" in caller.message
    assert not out.any()


def test_the_output_is_silent_after_nan(caller: Caller, handle: int) -> None:
    given = np.zeros((480, 2), "f4")
    given[3] = np.nan
    code, out = caller.process(handle, given, 480)
    assert code == SIGNAL
    assert not out.any()
    assert caller.process(handle, np.zeros((480, 2), "f4"), 480)[0] == OK


def test_params_are_set_by_number_and_by_text(caller: Caller, handle: int) -> None:
    value = caller.ffi.new("double *")
    name = caller.text("low.db")
    for call, given in (("set", -3.5), ("set_text", caller.text("-7"))):
        assert getattr(caller.functions, call)(handle, name, given, caller.err) == OK
        assert caller.functions.get(handle, name, value, caller.err) == OK
    assert value[0] == -7
    assert caller.functions.set(handle, name, float("inf"), caller.err) == STATE
    assert caller.functions.set_text(handle, name, caller.text("loud"), caller.err) == STATE
    assert caller.functions.get(handle, caller.text("low.no"), value, caller.err) == STATE


def test_profiles_overrides_and_formats_are_options(caller: Caller, gain: Path) -> None:
    number = caller.open(
        gain, profiles=["quiet"], overrides=["seed=3"], in_rate=44100, out_channels=1
    )
    made = caller.ffi.new("vg_format *")
    assert caller.functions.get_format(number, made, caller.err) == OK
    assert (made.in_frames, made.in_rate, made.in_channels) == (441, 44100, 2)
    assert (made.out_frames, made.out_rate, made.out_channels) == (480, 48000, 1)
    assert made.latency > 0  # of the resampler
    value = caller.ffi.new("double *")
    caller.functions.get(number, caller.text("low.db"), value, caller.err)
    assert value[0] == -40
    caller.functions.close(number, caller.err)


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"overrides": ["nodes.low.params.db=loud"]}, PIPELINE, "db is 'loud', expected a number"),
        ({"profiles": ["loud"]}, PIPELINE, "loud"),
        ({"override_count": 2}, ARGUMENT, "overrides is NULL, and their number is 2"),
        ({"profile_count": -1}, ARGUMENT, "the number of profiles is -1"),
        ({"out_rate": -1}, ARGUMENT, "out_rate is -1"),
        ({"in_rate": 44101}, PIPELINE, "44101"),
    ],
)
def test_wrong_options_are_refused(
    caller: Caller, gain: Path, members: dict[str, Any], code: int, text: str
) -> None:
    assert caller.open(gain, **members) == 0
    assert caller.err.code == code
    assert text in caller.message


def test_a_text_that_is_not_utf8_is_refused(caller: Caller) -> None:
    assert caller.functions.open(caller.text(b"a\xff"), caller.options(), caller.err) == 0
    assert caller.message == "pipeline is not UTF-8: byte 1 is 0xff"


def test_an_output_that_is_no_audio_is_refused(caller: Caller, tmp_path: Path) -> None:
    path = tmp_path / "pitch.yaml"
    nodes = "nodes: {f0: {use: f0.dio, in: input}}\noutput: f0\n"
    path.write_text("block: 10ms\ninput: {rate: 16000}\n" + nodes, encoding="utf-8")
    assert caller.open(path) == 0
    assert caller.err.code == PIPELINE
    assert "the C interface gives audio" in caller.message


def test_err_may_be_null(caller: Caller, handle: int) -> None:
    assert caller.functions.reset(0, caller.ffi.NULL) == 21
    assert caller.functions.set(handle, caller.text("no.such"), 1.0, caller.ffi.NULL) == STATE


def test_a_node_that_fails_is_silent_with_recover(caller: Caller, tmp_path: Path) -> None:
    path = tmp_path / "loud.yaml"
    path.write_text(GAIN.replace("db: -6", "db: 60"), encoding="utf-8")
    given = np.full((480, 2), 3e38, "f4")  # times 1000 it is infinite
    strict, live = caller.open(path), caller.open(path, recover=1)
    assert caller.process(strict, given, 480)[0] == SIGNAL
    code, out = caller.process(live, given, 480)
    assert code == OK
    assert not out.any()
    status = _status(caller, live)
    assert status["faults"] == {"low": 1}
    assert status["silenced"]
    assert "low" in status["messages"][-1]
    for number in (strict, live):
        caller.functions.close(number, caller.err)


def _status(caller: Caller, handle: int) -> dict[str, Any]:
    size = caller.functions.status(handle, caller.ffi.NULL, 0, caller.err) + 64
    text = caller.ffi.new("char[]", size)
    assert 0 < caller.functions.status(handle, text, size, caller.err) < size
    return json.loads(caller.ffi.string(text))


def test_a_status_that_does_not_fit_is_empty(caller: Caller, handle: int) -> None:
    text = caller.ffi.new("char[]", b"x" * 20)
    assert caller.functions.status(handle, text, 20, caller.err) > 20
    assert caller.ffi.string(text) == b""


def test_status_counts_blocks_and_lists_params(caller: Caller, handle: int) -> None:
    for _ in range(3):
        caller.process(handle, np.zeros((480, 2), "f4"), 480)
    status = _status(caller, handle)
    assert status["blocks"] == 3
    assert status["input"] == {"frames": 480, "rate_hz": 48000, "channels": 2}
    assert [param["name"] for param in status["params"]] == ["low.db"]
    assert [node["name"] for node in status["nodes"]] == ["low"]


def test_a_swap_takes_effect_within_the_following_blocks(caller: Caller, handle: int) -> None:
    overrides = caller.texts(["nodes.low.use=dsp.delay", "nodes.low.params.time=0ms"])
    assert caller.functions.swap(handle, overrides, 2, caller.err) == OK
    given = np.ones((480, 2), "f4")
    heard = [caller.process(handle, given, 480)[1][-1, 0] for _ in range(60)]
    assert heard[0] == pytest.approx(10 ** (-6 / 20), rel=1e-6)
    assert heard[-1] == 1
    assert _status(caller, handle)["swaps"] == 1


def test_a_recording_can_be_replayed(caller: Caller, gain: Path, tmp_path: Path) -> None:
    record = tmp_path / "take.jsonl"
    number = caller.open(gain, record=caller.text(str(record)))
    made = [caller.process(number, np.full((480, 2), 0.25, "f4"), 480)[1] for _ in range(5)]
    assert caller.functions.close(number, caller.err) == OK
    replayed = list(replay(Pipeline.load(gain).compile(), record))
    np.testing.assert_array_equal(np.concatenate(replayed, -1)[0], np.concatenate(made).T)


def test_rvc_needs_its_models(caller: Caller) -> None:
    members = [0, 48000, 2, 0.25, 0.05, 0.5, 1, 0.5, 0, 0]
    config = caller.ffi.new("rvc_config_t *", members)
    number = caller.functions.rvc_create(config, caller.err)
    assert caller.functions.rvc_block_size(number, caller.err) == 12000
    code, _ = caller.process(number, np.zeros(12000, "f4"), 12000)
    assert code == 23
    assert "rvc_load_models() has not been called" in caller.message
    names = [caller.text(name) for name in ("no/hubert.pt", "no/voice.pth")]
    failed = caller.functions.rvc_load_models(number, *names, caller.ffi.NULL, caller.err)
    assert failed == PIPELINE
    assert "there is no such file" in caller.message
    assert caller.process(number, np.zeros(12000, "f4"), 12000)[0] == 23
    assert "has failed" in caller.message
    assert caller.functions.close(number, caller.err) == OK
    assert caller.functions.rvc_block_size(number, caller.err) == -21


def test_sessions_are_no_rvc_handles(caller: Caller, handle: int) -> None:
    assert caller.functions.rvc_block_size(handle, caller.err) == -ARGUMENT
    assert "takes those of rvc_create()" in caller.message

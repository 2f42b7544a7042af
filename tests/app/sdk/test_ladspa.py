"""LADSPA plug-ins described from pipelines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.sdk.ladspa import control_port, plugins_of
from voicegraph.app.sdk.ladspa_table import ControlPort
from voicegraph.graph.errors import PipelineError
from voicegraph.schemas.live_status import LiveParam

NUMBERS = st.floats(-1e4, 1e4).map(lambda value: round(value, 3))


def _given(port: ControlPort) -> float:
    """The value that a host gives a port, by LADSPA's hints."""
    name = re.search(r"DEFAULT_(\w+)$", port.hints)
    assert name is not None
    parts = {"LOW": 0.25, "MIDDLE": 0.5, "HIGH": 0.75, "MINIMUM": 0.0, "MAXIMUM": 1.0}
    if name[1] in parts:
        assert "BELOW" in port.hints or name[1] == "MAXIMUM"
        assert "ABOVE" in port.hints or name[1] == "MINIMUM"
        return port.low * (1 - parts[name[1]]) + port.high * parts[name[1]]
    return float(name[1])


@given(value=NUMBERS, below=st.floats(0, 100), above=st.floats(0, 100), bounds=st.integers(0, 3))
def test_default_of_port_is_the_value_of_the_pipeline(
    value: float, below: float, above: float, bounds: int
) -> None:
    low = value - below if bounds & 1 else None
    high = value + above if bounds & 2 else None
    port = control_port(LiveParam(name="a.b", value=value, minimum=low, maximum=high))
    assert _given(port) + port.offset == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "hint"),
    [(0, "0"), (1, "1"), (100, "100"), (440, "440"), (-10, "MINIMUM"), (500, "MAXIMUM"),
     (245, "MIDDLE"), (117.5, "LOW"), (372.5, "HIGH")],
)  # fmt: skip
def test_port_has_the_value_itself_where_a_hint_is_exact(value: float, hint: str) -> None:
    port = control_port(LiveParam(name="a.b", value=value, minimum=-10, maximum=500))
    assert (port.hints.rsplit("_", 1)[-1], port.offset, port.name) == (hint, 0, "a.b")


def test_other_defaults_are_controlled_as_a_difference() -> None:
    port = control_port(LiveParam(name="pitch.transpose", value=5, minimum=-24, maximum=24))
    assert port == ControlPort(
        param="pitch.transpose",
        name="pitch.transpose (added to 5)",
        hints="LADSPA_HINT_BOUNDED_BELOW | LADSPA_HINT_BOUNDED_ABOVE | LADSPA_HINT_DEFAULT_0",
        low=-29.0,
        high=19.0,
        offset=5.0,
    )


@pytest.mark.parametrize("value", [True, False])
def test_switches_are_toggled_ports(value: bool) -> None:
    port = control_port(LiveParam(name="a.b", value=value))
    assert port.hints == f"LADSPA_HINT_TOGGLED | LADSPA_HINT_DEFAULT_{int(value)}"


def test_plugin_of_a_shipped_pipeline_has_its_live_params() -> None:
    (plugin,) = plugins_of(["world"], ["nodes.pitch.params.transpose=0"])
    assert (plugin.label, plugin.pipeline, plugin.channels) == ("world", "world", (1, 1))
    assert "pitch.transpose" in [port.name for port in plugin.ports]
    assert plugin.overrides == ("nodes.pitch.params.transpose=0",)
    assert 1000 <= plugin.identifier < 2**24


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    path = tmp_path / "my gain.yaml"
    path.write_text(
        "block: 10ms\ninput: {rate: 48000, channels: 2}\n"
        "nodes: {gain: {use: dsp.gain, in: input}}\noutput: gain\n",
        encoding="utf-8",
    )
    return path


def test_label_of_a_file_is_a_word_and_its_path_absolute(
    stereo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stereo.parent)
    (plugin,) = plugins_of([stereo.name])
    assert (plugin.label, plugin.pipeline) == ("my_gain", str(stereo.resolve()))
    assert plugin.channels == (2, 2)


def test_two_plugins_of_one_label_are_refused(stereo: Path) -> None:
    other = stereo.with_name("my_gain.yaml")
    other.write_bytes(stereo.read_bytes())
    with pytest.raises(PipelineError, match="would both be the plug-in my_gain"):
        plugins_of([str(stereo), str(other)])


def test_more_channels_than_ports_have_names_are_refused(stereo: Path) -> None:
    with pytest.raises(PipelineError, match="has 9 channels; expected 8 or fewer"):
        plugins_of([str(stereo)], ["input.channels=9"])


def test_pipeline_that_gives_no_audio_is_refused(stereo: Path) -> None:
    made = ["nodes.f0={use: f0.dio, in: input}", "output=f0", "input={rate: 16000, channels: 1}"]
    with pytest.raises(PipelineError, match="a plug-in gives audio"):
        plugins_of([str(stereo)], made)

"""``rvc_config_t``: limits, rounding, overrides."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from voicegraph.app.sdk.rvc_config import F0_METHODS, RvcConfig
from voicegraph.graph.errors import PipelineError

from ...library_cards import kept, write_card

GOOD = RvcConfig(0, 48000, 1, 0.25, 0.05, 2.5, 1, 0.5, 0, 0)


def _single(value: float) -> float:
    """A number as a 32-bit float holds it."""
    return struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("device", 2),
        ("sample_rate", 0),
        ("channels", 3),
        ("block_time_sec", 0.0),
        ("block_time_sec", float("nan")),
        ("crossfade_sec", float("inf")),
        ("extra_sec", -1.0),
        ("enable_index", 2),
        ("index_rate", 1.5),
        ("index_rate", float("nan")),
        ("protect", -1),
        ("f0_method", len(F0_METHODS)),
    ],
)
def test_a_wrong_member_is_named(member: str, value: float) -> None:
    with pytest.raises(PipelineError, match=f"rvc_config_t.{member} is") as caught:
        replace(GOOD, **{member: value}).check()
    assert len(caught.value.problems) == 1


def test_a_block_of_no_whole_frames_is_refused() -> None:
    with pytest.raises(PipelineError, match="30 ms is no whole number of frames at 11025 Hz"):
        replace(GOOD, sample_rate=11025, block_time_sec=0.03).check()
    replace(GOOD, sample_rate=11025, block_time_sec=0.04).check()


@pytest.mark.parametrize(("seconds", "block"), [(0.25, "250ms"), (0.03, "30ms"), (0.125, "120ms")])
def test_times_are_rounded_to_ten_milliseconds(seconds: float, block: str) -> None:
    config = replace(GOOD, block_time_sec=_single(seconds))
    assert config.overrides("h", "v", None)["block"] == block


def test_a_rate_of_the_index_is_the_number_that_was_written() -> None:
    config = replace(GOOD, index_rate=_single(0.3))
    assert config.overrides("h", "v", "i")["vars.index_rate"] == 0.3


def test_an_index_is_used_only_where_it_is_enabled() -> None:
    assert replace(GOOD, enable_index=0).overrides("h", "v", "i")["vars.index"] is None
    assert GOOD.overrides("h", "v", None)["vars.index"] is None
    assert GOOD.overrides("h", "v", "i")["vars.index"] == "i"


def test_rmvpe_is_found_beside_the_encoder_or_the_voice(tmp_path: Path) -> None:
    config = replace(GOOD, f0_method=1)
    voice, hubert = tmp_path / "voice" / "v.pth", tmp_path / "hubert" / "h.pt"
    with pytest.raises(PipelineError, match=r"needs rmvpe.pt beside the encoder or the voice"):
        config.overrides(str(hubert), str(voice), None)
    voice.parent.mkdir()
    (voice.parent / "rmvpe.pt").touch()
    found = config.overrides(str(hubert), str(voice), None)
    assert found["assets.rmvpe"] == str(voice.parent / "rmvpe.pt")


def test_onnx_files_take_the_nodes_for_them(tmp_path: Path) -> None:
    (tmp_path / "rmvpe.onnx").touch()
    config = replace(GOOD, f0_method=1)
    found = config.overrides(str(tmp_path / "h.onnx"), str(tmp_path / "v.ONNX"), None)
    assert found["nodes.content.use"] == "content.onnx"
    assert found["nodes.voice.use"] == "synth.onnx"
    assert found["nodes.f0.use"] == "f0.onnx"
    assert found["assets.rmvpe"] == str(tmp_path / "rmvpe.onnx")
    assert (
        config.overrides(str(tmp_path / "h.pt"), "v.pth", None)
        .keys()
        .isdisjoint({"nodes.content.use", "nodes.voice.use"})
    )


def test_names_of_the_library_stand_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path))
    write_card("alice", form="onnx", model=kept("alice.onnx"))
    folder = write_card("rmvpe", kind="pitch_model", model=kept("rmvpe.safetensors"))
    found = replace(GOOD, f0_method=1).overrides("", "alice", "alice")
    assert found["vars.voice"] == found["vars.index"] == "alice"
    assert found["nodes.voice.use"] == "synth.onnx"
    assert found["assets.rmvpe"] == str(folder / "rmvpe.safetensors")
    assert "assets.hubert" not in found  # the card of the voice names it

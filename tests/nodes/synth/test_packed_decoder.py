"""A packed network sounds as the plain one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from voicegraph.nodes.layers import packed
from voicegraph.nodes.layers.form import PACKED_FLOAT32
from voicegraph.nodes.layers.network import form_for, into_form
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.short_convolution import ShortConvolution
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._decoder import Decoder
from voicegraph.nodes.synth._packed_decoder import PackedDecoder
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.nodes.synth.voice_network import load_voice
from voicegraph.schemas.voice_card import VoiceConfig

from ...tolerance import SMALL_NETWORK, assert_close, assert_rounded

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")
needs_packing = pytest.mark.skipif(
    not can_pack(CPU, torch.float32), reason="needs oneDNN's own operators on x86"
)
ODD = [*rvc_example.CONFIG[:12], [8, 5, 2], 16, [14, 9, 4], 109, 6, 8000]
"""Transposed kernels that are no multiple of their rates."""
EVEN = [*rvc_example.CONFIG[:7], 4, *rvc_example.CONFIG[8:]]
"""Text encoder with an even kernel."""


def _network(config: list[Any], f0: bool) -> VoiceNetwork:
    made = VoiceNetwork(VoiceConfig.from_list(config), 768, f0, rvc_example.SPEAKERS)
    made.load_state_dict(fold(rvc_example.weights(config, 768, f0)))
    made.requires_grad_(False).fold()
    return made


def _inputs(
    network: VoiceNetwork, streams: int, count: int, frames: int | None = None
) -> tuple[Any, ...]:
    generator = torch.Generator().manual_seed(3)
    content = torch.randn(streams, 40, 768, generator=generator)
    bins = wave = None
    if network.f0:
        bins = torch.randint(1, 256, (streams, 40), generator=generator)
        pitch = 100 + 200 * torch.rand(streams, frames or count, generator=generator)
        wave = network.source(pitch)
    return content, bins, wave, 1, Window(29, count), None, frames


@needs_packing
@pytest.mark.parametrize("short", [False, True], ids=["direct", "short"])
@pytest.mark.parametrize("config", [rvc_example.CONFIG, rvc_example.SINGLE, ODD, EVEN])
@pytest.mark.parametrize("f0", [False, True])
@pytest.mark.parametrize(("streams", "count", "frames"), [(1, 7, None), (3, 10, None), (2, 5, 8)])
def test_packed_is_plain(
    config: list[Any],
    f0: bool,
    streams: int,
    count: int,
    frames: int | None,
    short: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ShortConvolution, "is_faster", staticmethod(lambda channels, taps: short))
    plain, other = _network(config, f0), _network(config, f0)
    into_form(other, CPU, PACKED_FLOAT32)
    assert isinstance(other.dec, PackedDecoder)
    given = _inputs(plain, streams, count, frames)
    assert_close(other(*given), plain(*given), SMALL_NETWORK)


@pytest.mark.parametrize(
    ("dtype", "x86", "packing"),
    [(torch.float32, True, True), (torch.float32, False, False), (torch.bfloat16, True, True)],
)
def test_voices_are_packed_where_it_helps(
    dtype: torch.dtype, x86: bool, packing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_X86", x86 and packed._X86)
    rvc_example.write(tmp_path)
    network = load_voice(tmp_path / "voice.pth", CPU, form_for(VoiceNetwork, CPU, dtype)).network
    wanted = PackedDecoder if packing and can_pack(CPU, dtype) else Decoder
    assert type(network.dec) is wanted


ROUNDINGS = 2 * 2 + 2 + 3 * (2 + 6)
"""In a row: both convolutions of two text layers, input and first convolution of the decoder, and
at each of three stages the upsampling, the source, and a residual block of three pairs."""


@pytest.mark.skipif(not can_pack(CPU, torch.bfloat16), reason="needs oneDNN in bfloat16")
@pytest.mark.parametrize("config", [rvc_example.CONFIG, rvc_example.SINGLE, ODD, EVEN])
@pytest.mark.parametrize("f0", [False, True])
def test_bfloat16_is_float32_rounded(config: list[Any], f0: bool) -> None:
    plain = _network(config, f0)
    given = _inputs(plain, 2, 9)
    form = form_for(VoiceNetwork, CPU, torch.bfloat16)
    found = into_form(_network(config, f0), CPU, form)(*given)
    assert found.dtype is torch.float32
    assert_rounded(found, plain(*given), torch.bfloat16, ROUNDINGS)

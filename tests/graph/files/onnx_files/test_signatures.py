"""Which network a file is, by names and shapes: every signature that people have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.files.onnx_files.header import parse
from voicegraph.graph.files.onnx_files.signatures import (
    ContentSignature,
    PitchSignature,
    VoiceSignature,
    signature_of,
)

Shapes = Mapping[str, tuple[str, Any]]
FLOAT, LONG, HALF = "float32", "int64", "float16"
T = "frames"

PITCHED = {"pitch": (LONG, [1, T]), "pitchf": (FLOAT, [1, T])}
WOKADA = {"feats": (FLOAT, [1, T, 768]), "p_len": (LONG, [1]), **PITCHED, "sid": (LONG, [1])}
CUT = {name: (LONG, []) for name in ("skip_head", "return_length", "formant_length")}
WEBUI = {
    "phone": (FLOAT, [1, T, 256]), "phone_lengths": (LONG, [1]), **PITCHED, "ds": (LONG, [1]),
    "rnd": (FLOAT, [1, 192, T]),
}  # fmt: skip
AUDIO = {"audio": (FLOAT, None)}
WIDTHS = {"units9": 256, "unit12": 768, "unit12s": 256}
ENCODED = {name: (FLOAT, [1, T, width]) for name, width in WIDTHS.items()}
F0 = {"pitchf": (FLOAT, [1, T])}
THRESHOLD = {"threshold": (FLOAT, [1])}


def _found(inputs: Shapes, outputs: Shapes) -> Any:
    taken, given = (
        [builder.value(name, *kind) for name, kind in ends.items()] for ends in (inputs, outputs)
    )
    return signature_of(parse(Path("m.onnx"), builder.model(builder.graph([], taken, given))))


def test_w_okadas_voice() -> None:
    found = _found(WOKADA, AUDIO)
    assert isinstance(found, VoiceSignature)
    assert (found.content, found.width, found.lengths, found.speaker) == (
        *("feats", 768, "p_len", "sid"),
    )
    assert found.f0
    assert found.skip is found.noise is None


def test_w_okadas_voice_in_half_precision_and_without_pitch() -> None:
    plain = {name: kind for name, kind in WOKADA.items() if name not in PITCHED}
    found = _found({**plain, "feats": (HALF, [1, T, 256])}, AUDIO)
    assert isinstance(found, VoiceSignature)
    assert (found.width, found.f0) == (256, False)


def test_deiteris_voice() -> None:
    found = _found({**WOKADA, **CUT}, AUDIO)
    assert (found.skip, found.returned, found.formant) == tuple(CUT)
    assert "deiteris" in found.program


def test_voice_of_the_webui() -> None:
    found = _found(WEBUI, {"audio": (FLOAT, [1, 1, "samples"])})
    assert (found.content, found.noise, found.speaker) == ("phone", "rnd", "ds")
    assert found.width == 256


def test_voice_by_shape_whatever_its_content_is_called() -> None:
    renamed = {"features": WEBUI["phone"], **{k: v for k, v in WEBUI.items() if k != "phone"}}
    found = _found(renamed, {"output": (FLOAT, None)})
    assert (found.content, found.audio) == ("features", "output")


def test_a_voice_with_an_input_that_nobody_knows_is_none() -> None:
    assert _found({**WOKADA, "mood": (FLOAT, [1])}, AUDIO) is None


def test_contentvec_of_w_okada() -> None:
    found = _found({"audio": (FLOAT, [1, "samples"])}, ENCODED)
    assert found == ContentSignature("audio", False, WIDTHS, "w-okada's voice changer")


@pytest.mark.parametrize("channels", [1, "channels"])
def test_contentvec_of_rvc(channels: int | str) -> None:
    found = _found({"source": (FLOAT, [1, channels, "n"])}, {"embed": (FLOAT, [1, T, 768])})
    assert (found.audio, found.channels, found.features) == ("source", True, {"embed": 768})


def test_encoder_without_any_shape() -> None:
    found = _found({"audio": (FLOAT, None)}, {"units9": (FLOAT, None), "unit12": (FLOAT, None)})
    assert found.features == {"units9": 256, "unit12": 768}


@pytest.mark.parametrize(
    ("inputs", "outputs", "takes", "salience"),
    [
        ({"waveform": (FLOAT, [1, "n"]), **THRESHOLD}, F0, "audio", False),
        ({"mel": (FLOAT, [1, 128, T]), **THRESHOLD}, F0, "mel", False),
        ({"mel": (FLOAT, [1, T, 128]), **THRESHOLD}, F0, "frames", False),
        ({"input": (FLOAT, [1, 128, T])}, {"output": (FLOAT, [1, T, 360])}, "mel", True),
        (
            {"waveform": (FLOAT, [1, "n"]), **THRESHOLD},
            {**F0, "salience": (FLOAT, [1, T, 360])},
            "audio",
            True,
        ),
    ],
    ids=["w-okada", "deiteris", "fcpe", "rvc", "both outputs"],
)
def test_pitch_models(inputs: Shapes, outputs: Shapes, takes: str, salience: bool) -> None:
    found = _found(inputs, outputs)
    assert isinstance(found, PitchSignature)
    assert (found.takes, found.salience) == (takes, salience)
    assert found.threshold == ("threshold" if "threshold" in inputs else None)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({}, AUDIO),
        ({"image": (FLOAT, [1, 3, 224, 224])}, {"classes": (FLOAT, [1, 1000])}),
        ({"tokens": (LONG, [1, T])}, {"logits": (FLOAT, [1, T, 32000])}),
        ({"audio": (FLOAT, [1, "n"])}, {"class": (FLOAT, [1, 2])}),
    ],
    ids=["nothing", "images", "tokens", "classes"],
)
def test_networks_of_other_kinds_are_none(inputs: Shapes, outputs: Shapes) -> None:
    assert _found(inputs, outputs) is None

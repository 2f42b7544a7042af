"""Cards of encoders, and of what was trained on one."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.nodes.synth.rvc_example import CONFIG
from voicegraph.schemas.encoder_card import V1, V2, EncoderCard, EncoderIdentity
from voicegraph.schemas.index_card import IndexCard
from voicegraph.schemas.voice_card import VoiceCard, VoiceConfig

PRINT = "0123456789abcdef"


def _encoder(**changes: Any) -> EncoderCard:
    held = {"hidden": 768, "layers": 12, "heads": 12, "projection": 256, "parameters": 1}
    return EncoderCard(title="base", fingerprint=PRINT, **{**held, **changes})


def _voice(**changes: Any) -> VoiceCard:
    sizes = VoiceConfig.from_list(CONFIG)
    held = {"version": "v2", "f0": True, "speakers": 1, "config": sizes, "parameters": 1}
    return VoiceCard.model_validate({**held, **changes})


def _index(dimension: int) -> IndexCard:
    held = {"type": "IndexFlat", "state": "filled", "vectors": 3, "trained": True}
    return IndexCard.model_validate({**held, "metric": "squared L2", "dimension": dimension})


def test_layers_are_those_of_rvc() -> None:
    assert (V1, V2) == ((9, True), (12, False))
    for width, (layer, projected) in {256: V1, 768: V2}.items():
        assert _encoder().giving(width).facts() == {
            "family": "hubert-base",
            "fingerprint": PRINT,
            "layer": layer,
            "projected": projected,
        }


def test_other_widths_claim_no_layer() -> None:
    facts = {"family": "hubert-base", "fingerprint": PRINT}
    assert _encoder(hidden=32, projection=8).giving(32).facts() == facts
    assert _encoder(hidden=32, projection=8).giving(8).facts() == facts


@pytest.mark.parametrize(
    ("changes", "width", "said"),
    [
        ({}, 512, "its features are of width 256 or 768, and not 512"),
        ({"projection": None}, 256, "its features are of width 768, and not 256"),
        ({"hidden": 256, "projection": None}, 256, "of width 256, and not 256"),
        ({"layers": 10}, 768, "it has 10 layers, and not layer 12"),
        ({"layers": 8}, 256, "it has 8 layers, and not layer 9"),
    ],
)
def test_what_an_encoder_does_not_give(changes: dict[str, Any], width: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _encoder(**changes).giving(width)


def test_voices_and_indexes_state_their_encoder() -> None:
    for version, width in {"v1": 256, "v2": 768}.items():
        expected = _encoder().giving(width)
        for card in (_voice(version=version), _index(width)):
            assert card.trained_on is None
            made = card.trained_with(_encoder())
            assert made.trained_on == expected
            assert type(card).model_validate_json(made.model_dump_json()) == made
            assert made.model_copy(update={"trained_on": None}) == card


def test_others_were_trained_on_none() -> None:
    with pytest.raises(ValueError, match="a file of kind content-encoder is trained on no encoder"):
        _encoder().trained_with(_encoder())
    with pytest.raises(ValueError, match="it is of kind voice, not a content encoder"):
        _index(768).trained_with(_voice())


def test_what_is_not_stated() -> None:
    assert _encoder().unstated == {}
    assert _index(768).unstated == {"trained_on": "encoder not stated"}
    assert _voice().unstated == {"trained_on": "encoder not stated"}
    named = _voice(encoder="contentvec")
    assert named.unstated == {"trained_on": "encoder not stated, except the name contentvec"}
    assert named.trained_with(_encoder()).unstated == {}


def test_names_are_not_compared() -> None:
    one = EncoderIdentity(title="a", family="hubert-base", fingerprint=PRINT)
    assert "title" not in one.facts()

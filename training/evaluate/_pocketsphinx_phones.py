"""Phone recognition by PocketSphinx: weak, but independent of the voices and their encoder."""

from __future__ import annotations

import numpy as np

from ..common.third_party_packages import METRIC_PACKAGES, import_package

_NO_PHONES = ("SIL", "+NSN+", "+SPN+")


def allphones(audio: np.ndarray) -> list[str]:
    """Phones in ``[samples]`` at 16 kHz, without silences and noises.

    The settings are those of PocketSphinx's documentation of phoneme recognition. A decoder adapts
    to what it has heard, so each clip gets a new one, which takes 10 ms.
    """
    sphinx = import_package("pocketsphinx", METRIC_PACKAGES)
    model = sphinx.get_model_path("en-us/en-us-phone.lm.bin")
    decoder = sphinx.Decoder(
        allphone=model, lm=None, dict=None, lw=2.0, beam=1e-20, pbeam=1e-20, loglevel="FATAL"
    )
    decoder.start_utt()
    whole = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    decoder.process_raw(whole, full_utt=True)
    decoder.end_utt()
    segments = decoder.seg() or ()
    return [part.word for part in segments if part.word not in _NO_PHONES]

"""Phone recognition by the bundled encoder."""

from __future__ import annotations

import numpy as np
import soundfile

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.edit_distance import error_rate
from voicegraph.training.voice._phones import phones


def test_bundled_recording_has_stable_phones() -> None:
    audio, _ = soundfile.read(bundled_recording.path(), dtype="float32")
    said = phones(audio)
    assert 60 < len(said) < 140
    assert not any(phone.startswith("<") for phone in said)
    noisy = audio + 0.001 * np.random.default_rng(1).standard_normal(len(audio)).astype(np.float32)
    assert error_rate(said, phones(noisy)) < 0.2

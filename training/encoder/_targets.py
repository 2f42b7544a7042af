"""The step targets: the teacher's features, with the whole utterance as context."""

from __future__ import annotations

import soundfile
import torch

from voicegraph.nodes.content.phonetic_frames import full_context_features
from voicegraph.schemas.phonetic_card import LAYER

from ..common import hama
from ..common.atomic_files import write_array
from ._workdir import EncoderWorkdir


def jobs(workdir: EncoderWorkdir) -> list[tuple]:
    """Arguments of :func:`make` for all files that are missing."""
    return [(workdir, name) for name in workdir.names() if not workdir.targets(name).exists()]


def make(workdir: EncoderWorkdir, name: str) -> None:
    """Writes the features of one utterance, float16 ``[frames, hidden]``."""
    audio, _ = soundfile.read(workdir.speech(name), dtype="float32")
    made = full_context_features(hama.network(), torch.from_numpy(audio), LAYER).half().numpy()
    write_array(workdir.targets(name), made)

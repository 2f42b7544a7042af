"""The step targets: the teacher's features, with the whole utterance as context."""

from __future__ import annotations

import functools

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_frames import full_context_features
from voicegraph.schemas.phonetic_card import LAYER

from ..common import hama
from ..common.atomic_files import write_array
from . import _whisper_basis as whisper_basis
from . import _whisper_teacher as whisper_teacher
from ._workdir import EncoderWorkdir


def jobs(workdir: EncoderWorkdir, teacher: str) -> list[tuple]:
    """Arguments of :func:`make` for all files that are missing."""
    names = workdir.names()
    return [(workdir, name, teacher) for name in names if not workdir.targets(name).exists()]


def make(workdir: EncoderWorkdir, name: str, teacher: str) -> None:
    """Writes the features of one utterance, float16 ``[frames, width]``."""
    audio, _ = soundfile.read(workdir.speech(name), dtype="float32")
    write_array(workdir.targets(name), TEACHERS[teacher](audio, workdir).astype(np.float16))


def _hama(audio: np.ndarray, _workdir: EncoderWorkdir) -> np.ndarray:
    return full_context_features(hama.network(), torch.from_numpy(audio), LAYER).numpy()


def _whisper(audio: np.ndarray, workdir: EncoderWorkdir) -> np.ndarray:
    """What is longer than Whisper takes is cut off: nothing is learned from it."""
    found = whisper_teacher.features(audio[: whisper_teacher.LONGEST], whisper_basis.LAYER)
    return _basis(workdir).reduce(found.numpy())


_basis = functools.cache(whisper_basis.load)
TEACHERS = {"hama": _hama, "whisper": _whisper}
"""By name: audio ``[samples]`` to features ``[frames, width]``."""

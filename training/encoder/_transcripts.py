"""The step transcripts: the phones of what a recognizer writes of recorded speech.

Whisper hears whole utterances and knows English. So its words say what a stream's features should
have kept; text-to-speech turns them into phones. Validation counts the phones that are lost.
"""

from __future__ import annotations

import functools

import numpy as np
import soundfile

from voicegraph.experiments.metric import Params
from voicegraph.experiments.observers.whisper import Whisper

from ..common.atomic_files import write_array
from ..corpora.tts_speakers import phonemes
from . import _librispeech as librispeech
from ._workdir import EncoderWorkdir


def jobs(workdir: EncoderWorkdir) -> list[tuple]:
    """Arguments of :func:`make` for all files that are missing."""
    learned, held_out = librispeech.split_held_out(workdir.names())
    books = [*held_out, *(name for name in learned if librispeech.is_librispeech(name))]
    return [(workdir, name) for name in books if not workdir.transcript(name).exists()]


def make(workdir: EncoderWorkdir, name: str) -> None:
    """Writes Kokoro's numbers of one utterance, int16: phones, stress, spaces, punctuation."""
    audio, _ = soundfile.read(workdir.speech(name), dtype="float32")
    text = _recognizer().observe(audio)["text"].tobytes().decode()
    numbers = np.array([one for ids in phonemes(text) for one in ids], np.int16)
    write_array(workdir.transcript(name), numbers)


@functools.cache
def _recognizer() -> Whisper:
    made = Whisper(Params())
    made.load()
    return made

"""The step alignment: when recorded speech says each phone of its transcript.

A linear classifier of the teacher's features learns phones from text-to-speech, whose times are
exact. It then aligns what Whisper wrote of each recording. Where it does not agree, there is no
label.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..common.atomic_files import write_array, write_arrays
from ._dataset import KOKORO_SYMBOLS, SILENCE, UNKNOWN, labels
from ._forced_alignment import align
from ._workdir import EncoderWorkdir

_UTTERANCES = 600
"""Utterances that the classifier learns from, at most."""
_STEPS, _BATCH, _LEARNING_RATE = 1000, 1024, 0.02
_UNSURE = 0.05
"""Probability of the aligned phone below which a frame has no label."""
_AGREEING = 0.6
"""Share of frames with a label below which a recording has none at all: its transcript is wrong."""
_WORD_ENDS = 17
"""Lower numbers of Kokoro are punctuation, and 16 is the space."""
_MARKS = (156, 157)


def classifier_jobs(workdir: EncoderWorkdir) -> list[tuple]:
    """Arguments of :func:`fit_classifier`, if there is none yet."""
    return [] if workdir.classifier.exists() else [(workdir,)]


def fit_classifier(workdir: EncoderWorkdir) -> None:
    """Learns phones of text-to-speech from targets by multinomial logistic regression."""
    names = [n for n in workdir.names() if not n.startswith("books-")]
    known = [n for n in names if workdir.targets(n).exists() and workdir.phones(n).exists()]
    chosen = known[:: max(len(known) // _UTTERANCES, 1)]
    features, phones = zip(*(_frames(workdir, name) for name in chosen), strict=True)
    weight, bias = _fitted(np.concatenate(features), np.concatenate(phones))
    counts = np.bincount(np.concatenate(phones), minlength=KOKORO_SYMBOLS) + 1.0
    prior = np.log(counts / counts.sum()).astype(np.float32)
    write_arrays(workdir.classifier, weight=weight, bias=bias, prior=prior)


def _frames(workdir: EncoderWorkdir, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Frames of an utterance whose phone is known."""
    found, phones = np.load(workdir.targets(name)), labels(np.load(workdir.phones(name)))
    count = min(len(found), len(phones))
    known = phones[:count] != UNKNOWN
    return found[:count][known].astype(np.float32), phones[:count][known]


def _fitted(features: np.ndarray, phones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = torch.from_numpy(features), torch.from_numpy(phones)
    std = x.std(0)
    torch.manual_seed(0)
    layer = nn.Linear(x.shape[1], KOKORO_SYMBOLS)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=_LEARNING_RATE, weight_decay=0.01)
    for step in range(_STEPS):
        optimizer.param_groups[0]["lr"] = _LEARNING_RATE * (1 - step / _STEPS)
        some = torch.randint(len(x), (_BATCH,))
        loss = functional.cross_entropy(layer(x[some] / std), y[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return (layer.weight / std).numpy(), layer.bias.numpy()


def jobs(workdir: EncoderWorkdir) -> list[tuple]:
    """Arguments of :func:`make` for all recordings without phones."""
    books = [name for name in workdir.names() if workdir.transcript(name).exists()]
    return [(workdir, name) for name in books if not workdir.alignment(name).exists()]


def make(workdir: EncoderWorkdir, name: str) -> None:
    """Writes Kokoro's number of the phone of each frame, int16 ``[frames]``.

    Unknown frames are 16, the space, as between words of synthetic speech.
    """
    said = states(np.load(workdir.transcript(name)))
    weight, bias, prior = _classifier(workdir)
    scores = np.load(workdir.targets(name)).astype(np.float32) @ weight.T + bias
    scores -= np.logaddexp.reduce(scores, 1, keepdims=True)
    write_array(workdir.alignment(name), aligned(scores, prior, said))


def aligned(scores: np.ndarray, prior: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Kokoro's number of the phone of each frame.

    Args:
        scores: logarithms of the probabilities of phones, ``[frames, phones]``.
        prior: of their frequencies, ``[phones]``.
        said: the sequence, in which silence may be left out.
    """
    unknown = np.full(len(scores), _WORD_ENDS - 1, np.int16)
    if len(scores) < (said != SILENCE).sum():
        return unknown
    phones = said[align(scores - prior, said, said == SILENCE)]
    sure = scores[np.arange(len(scores)), phones] > np.log(_UNSURE)
    return np.where(sure, phones, unknown).astype(np.int16) if sure.mean() > _AGREEING else unknown


def states(numbers: np.ndarray) -> np.ndarray:
    """The sequence to be aligned: phones, and a silence wherever a word or a sentence ends."""
    found = [SILENCE]
    for number in numbers.tolist():
        if number in _MARKS:
            continue
        if number >= _WORD_ENDS:
            found.append(number)
        elif found[-1] != SILENCE:
            found.append(SILENCE)
    return np.array(found if found[-1] == SILENCE else [*found, SILENCE])


@functools.cache
def _classifier(workdir: EncoderWorkdir) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.load(workdir.classifier) as held:
        return held["weight"], held["bias"], held["prior"]

"""Counter-based random numbers in NumPy; ``random`` has them as tensors.

Philox 4x64 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) is a function of
a key and a counter, so value ``n`` does not depend on computing earlier values. The key is made of
the pipeline's seed, the node's name and the stream number.
"""

from __future__ import annotations

import functools
import hashlib
import threading

import numpy as np

_WORDS = 4  # Philox 4x64 gives four words a counter step
_MOST_DRAWINGS = 256
"""Generators that a thread keeps: more than a session has of streams and noisy nodes."""


@functools.lru_cache(maxsize=1024)
def key(seed: int, node: str, stream: int) -> int:
    """The 128-bit key of a random stream."""
    digest = hashlib.blake2b(f"{seed}\0{node}\0{stream}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def words(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """``count`` random uint64 words, starting at number ``position``: ``[count]``."""
    number = key(seed, node, stream)
    drawing = _here.drawings.get(number)
    if drawing is None or not drawing.first <= position <= drawing.first + len(drawing.words):
        if len(_here.drawings) == _MOST_DRAWINGS:
            _here.drawings.clear()
        drawing = _here.drawings[number] = _Drawing(number, position)
    return drawing.go_on(position, count)


_KEPT = 4096
"""Words that may be drawn again: a frame or more."""


class _Drawing:
    """A generator that stands behind the words that it drew last."""

    def __init__(self, number: int, position: int) -> None:
        self.first, self.words = position, np.empty(0, np.uint64)
        self._philox = np.random.Philox(key=number, counter=position // _WORDS)
        self._philox.random_raw(position % _WORDS, output=False)

    def go_on(self, position: int, count: int) -> np.ndarray:
        """``count`` words from ``position`` on, which must not lie before or behind its words."""
        known = self.words[position - self.first :]
        if count <= len(known):
            return known[:count].copy()
        more = self._philox.random_raw(count - len(known))
        drawn = np.concatenate((known, more))
        self.words = drawn[-_KEPT:].copy()
        self.first = position + count - len(self.words)
        return drawn


class _Drawings(threading.local):
    """This thread's drawings by key.

    A stream of blocks goes on where its last block ended, or a little before. Making a generator
    anew takes ten times as long as a block of words: it asks the system for entropy, even if it is
    given a key.
    """

    def __init__(self) -> None:
        self.drawings: dict[int, _Drawing] = {}


_here = _Drawings()


def uniform(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """Float64 values in [0, 1), ``[count]``; value ``n`` depends only on ``position + n``."""
    return (words(seed, node, stream, position, count) >> np.uint64(11)) * 2.0**-53


def normal(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """Standard normal float32 values, ``[count]`` (Box and Muller 1958, one word per value)."""
    return normal_of(words(seed, node, stream, position, count))


def normal_of(raw: np.ndarray) -> np.ndarray:
    """Standard normal float32 values of words, of any shape."""
    radius = ((raw >> np.uint64(32)) + np.uint64(1)) * 2.0**-32  # (0, 1], so that the log is finite
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle = (raw & np.uint64(0xFFFFFFFF)) * (2.0 * np.pi * 2.0**-32)
    radius *= np.cos(angle, out=angle)
    return radius.astype(np.float32)

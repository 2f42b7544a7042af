"""Changes valid files: bits, lengths, ranges, words. The same seed gives the same changes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

Files = Mapping[str, bytes]
"""The files of a case by name; the first one is the one that is opened."""

_MOST_BYTES = 4 << 20
_NEAR = 2048
"""Headers are at most this far from an end of a file."""
_COUNTS = (1, 1, 1, 2, 2, 3, 6)
_NUMBERS = (0, 1, 2, 3, 7, 8, 127, 255, 256, 32767, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31)
_LARGE = ((1 << 32) - 1, 1 << 32, 1 << 40, (1 << 61) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
_WORD = re.compile(rb"[\w.$@%/+-]+")


def mutated(seeds: Sequence[Files], words: Sequence[bytes], chance: random.Random) -> Files:
    """One of the seeds, with one to six changes in one of its files."""
    files = dict(chance.choice(seeds))
    names = list(files)
    name = names[0] if chance.random() < 0.7 else chance.choice(names)
    data = bytearray(files[name])
    others = [seed[name] for seed in seeds if name in seed]
    for _ in range(chance.choice(_COUNTS)):
        change = chance.choice(_TEXT_CHANGES if words and chance.random() < 0.7 else _CHANGES)
        change(data, others, words, chance)
        del data[_MOST_BYTES:]
    return {**files, name: bytes(data)}


def _place(data: bytearray, chance: random.Random) -> int:
    """An offset; near the ends more often, where headers and directories are."""
    size = len(data)
    if size <= _NEAR or chance.random() < 0.25:
        return chance.randint(0, size)
    near = chance.randint(0, _NEAR)
    return near if chance.random() < 0.6 else size - near


def _flip(data: bytearray, _others: Sequence[bytes], _words: object, chance: random.Random) -> None:
    at = _place(data, chance)
    for place in range(at, min(at + chance.choice((1, 1, 1, 4)), len(data))):
        data[place] ^= 1 << chance.randrange(8)


def _number(data: bytearray, _others: object, _words: object, chance: random.Random) -> None:
    """A length or offset field: another number of 1 to 8 bytes, often a neighbour of the old."""
    width, order = chance.choice((1, 2, 4, 4, 8, 8)), chance.choice(("little", "little", "big"))
    at = _place(data, chance)
    if chance.random() < 0.5:
        at -= at % width
    if at + width > len(data):
        return
    old = int.from_bytes(data[at : at + width], order)
    near = (old + 1, old - 1, old * 2, old // 2, len(data), len(data) - at, -old)
    value = chance.choice((*_NUMBERS, *_LARGE) if chance.random() < 0.6 else near)
    data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, order)


def _cut(data: bytearray, _others: object, _words: object, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, _others: object, _words: object, chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 8, 40, 400))]


def _repeat(data: bytearray, _others: object, _words: object, chance: random.Random) -> None:
    at, size = _place(data, chance), chance.choice((1, 4, 8, 40, 400))
    data[at:at] = data[at : at + size] * chance.choice((1, 2, 10))


def _insert(data: bytearray, _others: object, _words: object, chance: random.Random) -> None:
    at = _place(data, chance)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 20)))


def _splice(data: bytearray, others: Sequence[bytes], _: object, chance: random.Random) -> None:
    """The beginning of this file, and the end of another or of itself from another place on."""
    other = chance.choice(others)
    at, there = _place(data, chance), _place(bytearray(other), chance)
    data[at:] = other[there:]


def _replace_word(
    data: bytearray, _others: object, words: Sequence[bytes], chance: random.Random
) -> None:
    found = list(_WORD.finditer(bytes(data)))
    if found:
        start, end = chance.choice(found).span()
        data[start:end] = chance.choice(words)


def _swap_words(data: bytearray, _others: object, _: object, chance: random.Random) -> None:
    found = list(_WORD.finditer(bytes(data)))
    if found:
        taken, (start, end) = chance.choice(found)[0], chance.choice(found).span()
        data[start:end] = taken


def _insert_word(
    data: bytearray, _others: object, words: Sequence[bytes], chance: random.Random
) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.choice(words)


Change = Callable[[bytearray, Sequence[bytes], Sequence[bytes], random.Random], None]
_CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _number, _number, _number, _cut, _remove, _repeat, _insert, _splice),
)
_TEXT_CHANGES: tuple[Change, ...] = (_replace_word, _replace_word, _swap_words, _insert_word)

"""How vectors of an index are stored: ``sq8``, ``pq:96`` and the others that retrieval reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicegraph.graph.errors import Mark, PipelineError, Problem

OPTION = "--to"
CODES = 256
"""Centres of each part of a product quantizer: one byte."""
_SCALAR = {"flat": ("Flat", 32), "fp16": ("SQfp16", 16), "sq8": ("SQ8", 8), "sq4": ("SQ4", 4)}
"""Name -> FAISS's name, bits of a value."""
_PATTERN = re.compile(r"(?P<name>[a-z]+[0-9]*)(?::(?P<parts>[0-9]{1,6}))?")
_SHORTEST_NAMES = "flat, fp16, sq8, sq4, pq:N, opq:N"


@dataclass(frozen=True, slots=True)
class Encoding:
    """The form of the stored vectors.

    Attributes:
        name: ``flat``, ``fp16``, ``sq8``, ``sq4``, ``pq`` or ``opq``.
        parts: of a product quantizer: bytes of a vector.
    """

    name: str
    parts: int | None = None

    def __str__(self) -> str:
        return self.name if self.parts is None else f"{self.name}:{self.parts}"

    @property
    def rotates(self) -> bool:
        """Whether the vectors are rotated first (optimized product quantization)."""
        return self.name == "opq"

    def code_bytes(self, dimension: int) -> int:
        """Bytes of a stored vector."""
        if self.parts is not None:
            return self.parts
        return (dimension * _SCALAR[self.name][1] + 7) // 8

    def factory(self, lists: int) -> str:
        """FAISS's description of the inverted lists."""
        stored = _SCALAR[self.name][0] if self.parts is None else f"PQ{self.parts}"
        return f"IVF{lists},{stored}"

    def trained_size(self, dimension: int) -> int:
        """Bytes that belong to the index as a whole: ranges, centres of parts, a rotation."""
        if self.parts is None:
            return 8 * dimension if self.name.startswith("sq") else 0
        return CODES * dimension * 4 + (dimension * dimension * 4 if self.rotates else 0)


def parse_encoding(text: str, dimension: int) -> Encoding:
    """The encoding that is meant.

    Args:
        text: as typed.
        dimension: of the vectors.

    Raises:
        PipelineError: if there is none of that name, or it does not fit the dimension.
    """
    match = _PATTERN.fullmatch(text.strip().lower())
    name = match["name"] if match else ""
    if match and name in _SCALAR and match["parts"] is None:
        return Encoding(name)
    if match is None or name not in ("pq", "opq"):
        said = f"there is no type {text!r:.40}; there are: {_SHORTEST_NAMES}"
        raise _wrong(text, said, f"{OPTION} sq8")
    parts = int(match["parts"] or 0)
    if parts < 1 or dimension % parts:
        near = (
            nearest_divisor(dimension, parts)
            if parts
            else nearest_divisor(dimension, dimension // 8)
        )
        said = (
            f"{name} needs the number of parts (bytes of a vector), which divides the dimension "
            f"{dimension}; found {match['parts'] or 'none'}"
        )
        raise _wrong(text, said, f"{OPTION} {name}:{near}")
    return Encoding(name, parts)


def nearest_divisor(dimension: int, wanted: int) -> int:
    """The divisor of the dimension that is nearest to a number."""
    divisors = [n for n in range(1, dimension + 1) if dimension % n == 0]
    return min(divisors, key=lambda n: (abs(n - wanted), n))


def usual_encodings(dimension: int) -> list[Encoding]:
    """What ``--suggest`` tries unless told otherwise: from exact to a bit a value.

    A rotation helps parts of four values and more.
    """
    scalar = [Encoding(name) for name in ("flat", "fp16", "sq8", "sq4")]
    wanted = (("pq", 2), ("pq", 4), ("opq", 4), ("pq", 8), ("opq", 8))
    product = [(name, nearest_divisor(dimension, dimension // width)) for name, width in wanted]
    return scalar + [Encoding(*each) for each in dict.fromkeys(product)]


def _wrong(text: str, said: str, fix: str) -> PipelineError:
    return PipelineError(Problem("wrong-encoding", said, Mark(f"{OPTION} {text!r:.60}"), fix=fix))

"""Reads an ONNX file into memory, where nobody else can change it, in the form that is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..private_copy import read_private
from .header import OnnxHeader, parse, read_header
from .random_inputs import Drawing, drawings, with_random_inputs

__all__ = ["RunnableNetwork", "load_onnx", "read_checked"]


@dataclass(frozen=True, slots=True, eq=False)
class RunnableNetwork:
    """A checked file with its random numbers as inputs.

    Attributes:
        header: of the file as it is stored.
        data: the file for a runtime.
        drawings: the random numbers that it takes.
    """

    header: OnnxHeader
    data: bytes = field(repr=False)
    drawings: tuple[Drawing, ...]


def read_checked(path: Path) -> tuple[OnnxHeader, bytes]:
    """Reads a file as it is stored. What is checked are the bytes that are returned.

    Raises:
        WeightsError: as :func:`read_header`, or if it does not fit into memory.
    """
    size = read_header(path).size  # before memory is taken by what is no ONNX file
    data = read_private(path, 0, size).tobytes()
    return parse(path, data), data


def load_onnx(path: Path) -> RunnableNetwork:
    """Reads a file, and turns its random numbers into inputs.

    Raises:
        WeightsError: as :func:`read_checked`.
    """
    header, data = read_checked(path)
    return RunnableNetwork(header, with_random_inputs(header, data), drawings(header))

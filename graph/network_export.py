"""What a node says about its network so that other runtimes can run it: ``Node.exports``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

Axis = int | str
"""A fixed size, or the name of one that varies from call to call; equal names are equal sizes."""


@dataclass(frozen=True)
class ExportedTensor:
    """An input or output of an exported network."""

    axes: tuple[Axis, ...]
    dtype: torch.dtype = torch.float32
    description: str = ""
    """What it is, with its unit."""
    tolerance: float = 1e-4
    """How far an exported float32 network may be from its node here, at most, in its own unit."""
    chosen: bool = False
    """An output whose values are chosen among ones far apart, such as the F0 of the loudest bin: in
    half precision a choice between nearly equal ones may turn out differently in a few places."""
    default: torch.Tensor | None = None
    """What an input is if a program leaves it out, in forms that allow that (ONNX); None: it must
    be given. Its sizes need only broadcast to ``axes``."""


@dataclass(frozen=True)
class ExportedFile:
    """A file that other programs need beside a network, in a form that they read."""

    ending: str
    """Of its name, with the dot."""
    contents: bytes | memoryview


@dataclass(frozen=True)
class ExportedNetwork:
    """A network in plain torch, without packed weights, randomness or state of its own.

    ``module(*inputs, *state)`` gives ``(*outputs, *next state)`` in the order of the mappings; a
    single output without state is given alone. Random numbers are inputs. Everything is float32 on
    the CPU unless an :class:`ExportedTensor` says otherwise.
    """

    module: torch.nn.Module
    inputs: Mapping[str, ExportedTensor]
    outputs: Mapping[str, ExportedTensor]
    example: Callable[[int], Mapping[str, torch.Tensor]]
    """Inputs by name: 0 are those that the network is traced with; 1, 2 and 3 are other lengths, in
    every axis that varies: one shorter, one longer, one longer than any piece in which the network
    works. Networks with fixed sizes give other values."""
    reference: Callable[[Mapping[str, torch.Tensor]], Mapping[str, torch.Tensor]]
    """What the node itself computes from such inputs, in the form in which it runs (packed); with
    state, from the beginning of a stream, so that several calls are a stream. An output that it
    leaves out is not compared."""
    state: Mapping[str, torch.Tensor] = field(default_factory=dict[str, torch.Tensor])
    """The state at the beginning of a stream by name; ``NAME`` goes in, ``NAME_next`` comes out."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    """Text that other programs look for in the file's metadata."""
    live: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Live param of the node -> the input by which a program changes it, in whatever unit that has;
    None if it has no effect here. The others are fixed in the file."""
    reduced: Callable[[torch.dtype], torch.nn.Module] | None = None
    """The module with weights in another dtype, such as float16; inputs and outputs keep theirs.
    None: there is none."""

"""Networks as programs of ``torch.export``: the form pt2, and the source of ONNX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.export import Dim, ExportedProgram

from ..network_export import ExportedNetwork
from ._calls import arguments, by_name, taken, traced_with
from ._failure import reported_as
from ._recurrent import gru_as_one_operator


def exported_program(network: ExportedNetwork, module: torch.nn.Module) -> ExportedProgram:
    """The program of a module; sizes with a name stay open.

    Raises:
        Exception: whatever ``torch.export`` raises, also if a size with a name is fixed in truth.
    """
    sizes = tuple(
        {axis: Dim.DYNAMIC for axis, size in enumerate(tensor.axes) if isinstance(size, str)}
        or None
        for tensor in taken(network).values()
    )
    dynamic = sizes if any(sizes) else None  # else a module may take any number of arguments
    with warnings.catch_warnings(), torch.no_grad(), gru_as_one_operator():
        warnings.simplefilter("ignore")  # remarks on how the module is written
        return torch.export.export(
            module, traced_with(network), dynamic_shapes=dynamic, strict=False
        )


class Pt2Form:
    """A program of ``torch.export``: ``torch.export.load`` in Python, AOTInductor for C++."""

    title = "a program of torch.export"
    endings = (".pt2",)

    def require(self) -> None:
        """Needs nothing but PyTorch."""

    def write(
        self,
        network: ExportedNetwork,
        module: torch.nn.Module,
        metadata: Mapping[str, str],
        path: Path,
    ) -> None:
        """See ``Form``. The metadata are extra files of the archive."""
        made = io.BytesIO()
        with reported_as(self.title), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on weights that share memory
            program = exported_program(network, module)
            torch.export.save(program, made, extra_files=dict(metadata))
        path.write_bytes(made.getbuffer())

    def open(self, network: ExportedNetwork, path: Path, threads: int) -> _Program:
        """See ``Form``; the caller sets PyTorch's threads."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(path.read_bytes()))
            return _Program(network, program.module())


class _Program:
    """A loaded program."""

    def __init__(self, network: ExportedNetwork, module: torch.nn.Module) -> None:
        self._network, self._module = network, module

    def __call__(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            return by_name(self._network, self._module(*arguments(self._network, values)))

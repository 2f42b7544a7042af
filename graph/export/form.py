"""The forms in which networks are written, by the name on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import torch

from ..network_export import ExportedNetwork
from ._onnx import OnnxForm
from ._program import Pt2Form
from ._torchscript import TorchScriptForm

Runtime = Callable[[Mapping[str, torch.Tensor]], Mapping[str, torch.Tensor]]
"""Runs a file: inputs and state by name -> outputs and next state by name."""


class Form(Protocol):
    """A format of files that hold a network."""

    @property
    def title(self) -> str:
        """Its name in messages."""
        ...

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of file names, with a dot; the first is the default."""
        ...

    def require(self) -> None:
        """Checks that the packages that write and run it are installed.

        Raises:
            PipelineError: if one is not.
        """
        ...

    def write(
        self,
        network: ExportedNetwork,
        module: torch.nn.Module,
        metadata: Mapping[str, str],
        path: Path,
    ) -> None:
        """Writes a module with the tensors of ``network`` to an existing file.

        Raises:
            ExportError: if the module cannot be brought into this form.
        """
        ...

    def open(self, network: ExportedNetwork, path: Path, threads: int) -> Runtime:
        """The file in the runtime that other programs load it with."""
        ...


FORMS: Mapping[str, Form] = {
    "onnx": OnnxForm(),
    "torchscript": TorchScriptForm(),
    "pt2": Pt2Form(),
}
"""By name."""


def form_of(ending: str) -> str | None:
    """The form that files with this ending have; None if it is that of no form."""
    return next((name for name, form in FORMS.items() if ending.lower() in form.endings), None)

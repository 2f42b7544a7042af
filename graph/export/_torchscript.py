"""Networks as TorchScript: what C++ programs load with libtorch, without Python."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from ..network_export import ExportedNetwork
from ._calls import arguments, by_name, traced_with
from ._failure import reported_as


class TorchScriptForm:
    """A traced module. PyTorch calls TorchScript deprecated; nothing else runs without Python."""

    title = "TorchScript"
    endings = (".ts", ".pt")

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
        with reported_as(self.title), _silenced(), torch.no_grad():
            traced = torch.jit.trace(module, traced_with(network), check_trace=False)
            assert isinstance(traced, torch.jit.ScriptModule)
            torch.jit.save(traced, made, _extra_files=dict(metadata))
        path.write_bytes(made.getbuffer())

    def open(self, network: ExportedNetwork, path: Path, threads: int) -> _Script:
        """See ``Form``; the caller sets PyTorch's threads."""
        with _silenced():
            return _Script(network, torch.jit.load(io.BytesIO(path.read_bytes()), "cpu"))


class _Script:
    """A loaded module."""

    def __init__(self, network: ExportedNetwork, module: torch.jit.ScriptModule) -> None:
        self._network, self._module = network, module

    def __call__(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        with _silenced(), torch.no_grad():
            return by_name(self._network, self._module(*arguments(self._network, values)))


@contextmanager
def _silenced() -> Iterator[None]:
    """Without warnings: of deprecation, and of sizes that a trace may hold fixed.

    Whether it does is what the check at other lengths finds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

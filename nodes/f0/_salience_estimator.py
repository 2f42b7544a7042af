"""What the estimators share that are networks: salience over bins of pitch, on any device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import Field

from voicegraph.graph import Hertz, SignalType
from voicegraph.graph.files.models import Archive, open_archive, shared_file
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._estimator import F0Estimator, F0Params, F0ParamsT

T = TypeVar("T")


class WideRangeParams(F0Params):
    """Params of those that the reference asks about all pitches, and whose gaps it fills."""

    floor: Hertz = Field(30.0, ge=30, le=500)
    """Lowest F0 looked for, in Hz."""
    ceiling: Hertz = Field(2100.0, ge=100, le=2100)
    """Highest F0 looked for, in Hz."""
    fill: bool = True
    """Fill unvoiced stretches by linear interpolation; `voiced` still tells them apart."""


class SalienceEstimator(F0Estimator[F0ParamsT], Generic[F0ParamsT]):
    """Base of RMVPE, FCPE and CREPE, which know much the same pitches."""

    devices = ("cpu", "cuda")
    needs_float64 = True
    dtypes = ("float32", "float16", "bfloat16")
    releases_gil = True

    def infer(self, params: F0ParamsT, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """Fixed types.

        Raises:
            ValueError: if the network knows no pitch between floor and ceiling.
        """
        salience_bins.bins_in_range(salience_bins.crepe_cents(), params.floor, params.ceiling)
        return super().infer(params, inputs)

    def network_of(
        self,
        path: Path,
        device: torch.device,
        dtype: torch.dtype,
        read: Callable[[Archive, torch.device, torch.dtype], T],
    ) -> T:
        """What ``read`` makes of a file, once a process for each device and precision.

        Raises:
            WeightsError: if the file is not what it should be.
        """
        archive = open_archive(path)
        made = (str(device), dtype)
        return shared_file(self.use, archive.file, lambda: read(archive, device, dtype), *made)

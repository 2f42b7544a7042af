"""The base of the estimators that are networks: salience over pitch bins, on any device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic

import torch
from pydantic import Field

from voicegraph.graph import Hertz, SignalType
from voicegraph.graph.files.models import Archive, open_archive
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0.estimator import F0Estimator, F0Params, F0ParamsT
from voicegraph.nodes.layers.network import NetworkT, form_for, load_network


class WideRangeParams(F0Params):
    """Params of estimators for which RVC searches the whole range and fills gaps."""

    floor: Hertz = Field(30.0, ge=30, le=500)
    """Lowest F0 of the search range, in Hz."""
    ceiling: Hertz = Field(2100.0, ge=100, le=2100)
    """Highest F0 of the search range, in Hz."""
    fill: bool = True
    """Fill unvoiced stretches by linear interpolation; `voiced` stays 0 there."""


class SalienceEstimator(F0Estimator[F0ParamsT], Generic[F0ParamsT]):
    """Base of RMVPE, FCPE and CREPE, whose pitch ranges are nearly the same."""

    devices = ("cpu", "cuda")
    needs_float64 = True
    dtypes = ("float32", "float16", "bfloat16")
    releases_gil = True

    def infer(self, params: F0ParamsT, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """Fixed types.

        Raises:
            ValueError: if no pitch bin lies between floor and ceiling.
        """
        salience_bins.bins_in_range(salience_bins.crepe_cents(), params.floor, params.ceiling)
        return super().infer(params, inputs)

    def network_of(
        self,
        kind: type[NetworkT],
        path: Path,
        device: torch.device,
        dtype: torch.dtype,
        build: Callable[[Archive], NetworkT],
    ) -> NetworkT:
        """The network that ``build`` makes of a file, shared in the process.

        Raises:
            WeightsError: if the file is not what it should be.
        """
        archive, form = open_archive(path), form_for(kind, device, dtype)
        return load_network(kind, archive, lambda: build(archive), device, form)

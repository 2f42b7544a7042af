"""Device placement: checks that the machine has the devices of a plan, and takes fallbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..errors import DeviceError, Problems

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode

_PLATFORMS = {"cuda": "CUDA or ROCm", "mps": "Metal (mps)", "xpu": "Intel GPU (xpu)"}


def place_nodes(plan: CompiledPlan, notes: list[str]) -> dict[str, torch.device]:
    """The device of every node by name; declared fallbacks that are taken are added to ``notes``.

    Raises:
        DeviceError: if devices are missing, with a problem for every node that needs one.
    """
    problems = Problems(DeviceError)
    devices: dict[str, torch.device] = {}
    for planned in plan.nodes:
        wanted = torch.device(planned.device)
        missing = _missing(wanted)
        if missing is None:
            devices[planned.name] = wanted
        elif planned.fallback == "cpu":
            devices[planned.name] = torch.device("cpu")
            notes.append(f"{planned.name} runs on cpu: {missing}, and its fallback is cpu")
        else:
            _report(problems, planned, missing)
    problems.raise_if_any()
    return devices


def _missing(device: torch.device) -> str | None:
    """Why torch cannot use a device; None if it can."""
    if device.type == "cpu":
        return None
    platform, count = _PLATFORMS[device.type], _device_count(device.type)
    if count == 0:
        return f"this machine has no {platform} device, or this torch was built without it"
    if (device.index or 0) >= count:
        plural = "device" if count == 1 else "devices"
        return f"this machine has {count} {platform} {plural}, numbered from {device.type}:0"
    return None


def _device_count(kind: str) -> int:
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    backend = torch.cuda if kind == "cuda" else torch.xpu
    return backend.device_count() if backend.is_available() else 0


def _report(problems: Problems, planned: PlannedNode, missing: str) -> None:
    problems.add(
        "no-such-device",
        f"{planned.name} is placed on {planned.device}, but {missing}",
        notes=[("voicegraph doctor lists the devices of this machine", None)],
        fix=f"--set nodes.{planned.name}.device=cpu\n"
        f"or, in the file,  nodes.{planned.name}.fallback: cpu",
    )

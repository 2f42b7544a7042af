"""Where nodes really run: the machine's answer to what the plan asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..errors import DeviceError, Problems

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode


def place_nodes(plan: CompiledPlan, notes: list[str]) -> dict[str, torch.device]:
    """The device of every node; a declared fallback that is taken is noted.

    Raises:
        DeviceError: if devices are missing, with every node that asks for one.
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
    """Why a device cannot be used; None if it can."""
    if device.type == "cpu":
        return None
    if not torch.cuda.is_available():
        return "this machine has no CUDA device, or this torch was built without CUDA"
    if (device.index or 0) >= torch.cuda.device_count():
        return f"this machine has {torch.cuda.device_count()} CUDA devices, cuda:0 onwards"
    return None


def _report(problems: Problems, planned: PlannedNode, missing: str) -> None:
    problems.add(
        "no-such-device",
        f"{planned.name} is placed on {planned.device}, but {missing}",
        notes=[("see what there is: voicegraph doctor", None)],
        fix=f"--set nodes.{planned.name}.device=cpu\n"
        f"or allow it in the file  nodes.{planned.name}.fallback: cpu",
    )

"""Numbers of a plan on a machine: no clip has them."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from ..metric import Heard, Metric, NotMeasured


def plan_figure(name: str, title: str, unit: str, text: str, digits: int = 2) -> Metric:
    """A metric of plans, of which less is better."""
    return Metric(
        name, title, _never, better="lower", unit=unit, span=(0, np.inf), digits=digits, text=text,
        per="plan",
    )  # fmt: skip


def _never(heard: Heard) -> NoReturn:
    del heard
    raise NotMeasured("it belongs to a plan, not to a clip")

"""Conformance of plug-ins: checks that every observer, metric and condition must pass.

Authors run them by one line in a test file, such as ``conformance.check_metric("creak.share")``.
A check that cannot apply is left out with a reason: ``skip={"monotone": "noise makes no creak"}``.
"""

from __future__ import annotations

from ._condition_checks import check_condition
from ._metric_checks import check_metric
from ._observer_checks import check_observer

__all__ = ["check_condition", "check_metric", "check_observer"]

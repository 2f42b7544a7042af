"""What schemathesis finds: answers that are not as the OpenAPI document says."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished


def findings(schema: Any) -> tuple[list[str], int]:
    """Findings of all checks, and how many requests were sent."""
    found, sent = [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError | FatalError):
            found.append(f"{event}")
        if isinstance(event, ScenarioFinished):
            checks = event.recorder.checks.values()
            sent += len(event.recorder.interactions)
            found += [str(node.failure_info.failure) for nodes in checks for node in nodes
                      if node.failure_info is not None]  # fmt: skip
    return found, sent


def fuzz_config(examples: int, headers: dict[str, str]) -> schemathesis.Config:
    """Settings under which the same requests are sent each time."""
    return schemathesis.Config.from_dict(
        {
            "headers": headers,
            "seed": 1,
            "warnings": False,
            "generation": {"deterministic": True, "max-examples": examples, "database": "none"},
        }
    )

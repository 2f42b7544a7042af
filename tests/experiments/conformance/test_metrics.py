"""Every shipped metric passes the conformance suite of metrics."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.experiments import conformance, metrics

from ..needed_packages import skip_if_missing

ENTRIES: list[tuple[str, Any]] = [
    ("cost", None),
    ("f0", {"tap": "f0.pitch"}),
    ("f0", "swift+stonemask"),
    ("latency", None),
    ("level", None),
    ("likeness", None),
    ("likeness", {"by": "resemblyzer"}),
    ("pauses", None),
    ("phones", "hama"),
    ("phones", "pocketsphinx"),
    ("quality", "dnsmos"),
    ("quality", "plcmos"),
    ("quality", "distillmos"),
    ("stoi", None),
    ("voicing", None),
    ("words", None),
]


@pytest.mark.parametrize(("name", "value"), ENTRIES)
def test_shipped_metrics_conform(name: str, value: object) -> None:
    skip_if_missing(p for metric in metrics.ask(name, value) for p in metrics.missing(metric))
    conformance.check_metric(name, value, {"other_process": "its observers are compared there"})


def test_titles_tell_metrics_apart() -> None:
    asked = {metric.name: metric for entry in ENTRIES for metric in metrics.ask(*entry)}
    titles = [metric.title for metric in asked.values()]
    assert len(set(titles)) == len(titles)


def test_all_families_are_checked() -> None:
    assert {name for name, _ in ENTRIES} == metrics.BUILTIN.keys()

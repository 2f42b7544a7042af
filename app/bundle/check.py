"""Compares what a bundle's parts compute with the values that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from voicegraph.schemas.bundle import BundleCheck, BundleCheckReport, BundleNetwork

from .folder import Bundle
from .network import BundledNetwork
from .runtime import Runtime, unknown_nodes

WITHIN = 1e-4
"""What the output may differ from that of the pipeline, in full scale."""
_RELATIVE = 1e-5
"""Of values that are larger than 1, such as F0 in Hz: the rounding of some hundred operations."""


def check_bundle(bundle: Bundle, threads: int = 1) -> BundleCheckReport:
    """Runs every network on the values of its check, and the plan on its first blocks.

    Args:
        bundle: whose files have been checked.
        threads: that each network may use.

    Raises:
        VoicegraphError: if a file cannot be used.
    """
    checks = list(_networks(bundle, threads))
    missing = unknown_nodes(bundle)
    if not missing:
        checks.append(_blocks(bundle, threads))
    return BundleCheckReport(
        ok=all(check.passed for check in checks),
        pipeline=bundle.manifest.pipeline,
        hash=bundle.manifest.hash,
        checks=checks,
        not_run=missing,
    )


def _networks(bundle: Bundle, threads: int) -> Iterator[BundleCheck]:
    for node, described in bundle.manifest.networks.items():
        if described.form == "onnx":
            network = BundledNetwork(described, bundle.path(described.file), threads)
            yield _network(node, network, bundle.arrays(described.check))


def _network(node: str, network: BundledNetwork, values: Mapping[str, np.ndarray]) -> BundleCheck:
    given = _named(values, "in") | _named(values, "state")
    made = network(**given)
    expected = _named(values, "out")
    expected |= {f"{name}_next": value for name, value in _named(values, "next").items()}
    return _compared(node, made, expected, network.described)


def _named(values: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    prefix = f"{kind}."
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


def _compared(
    part: str,
    made: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    described: BundleNetwork,
) -> BundleCheck:
    """The worst of all outputs, each as a share of what is allowed for it."""
    worst, allowed = 0.0, WITHIN
    for name, value in expected.items():
        if name in described.outputs or name in made:
            within = WITHIN + _RELATIVE * float(np.abs(value).max(initial=0.0))
            found = float(np.abs(made[name].astype(float) - value.astype(float)).max(initial=0.0))
            if found / within >= worst / allowed:
                worst, allowed = found, within
    return BundleCheck(part=part, difference=worst, within=allowed, passed=worst <= allowed)


def _blocks(bundle: Bundle, threads: int) -> BundleCheck:
    """The plan on the first blocks of a recording."""
    values, size = bundle.arrays(bundle.manifest.blocks), bundle.plan.input.count
    runtime = Runtime(bundle, threads)
    samples = values["input"]
    starts = range(0, samples.shape[1] - size + 1, size)
    made = np.concatenate([runtime.tick(samples[:, k : k + size]) for k in starts], 1)
    worst = float(np.abs(made - values["output"]).max())
    return BundleCheck(part="blocks", difference=worst, within=WITHIN, passed=worst <= WITHIN)

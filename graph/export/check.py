"""The check of an exported network: three calls at other lengths than the traced one, by its node.

Two faults of exporters are silent: a size that is fixed in truth, and a loop that is unrolled as
often as the traced length needs. Both pass at that length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch

from voicegraph.schemas.export_report import LengthReport, OutputDifference

from ..metrics.sample_difference import difference_sums, largest_difference
from ..network_export import ExportedNetwork, ExportedTensor
from ..startup_stages import begin_stage
from ._calls import NEXT
from ._failure import first_line
from .form import Runtime

LENGTHS = (1, 2, 3)
"""Numbers of the examples that are compared; 0 is the traced one."""
_REPEATS = 3
_CHOSEN_NEAR = 0.95
"""Share of the values that are chosen as in float32: the raw pitch accuracy of F0."""
_CENTS = 2 ** (50 / 1200) - 1
_MOST_BLOCKS = 120
"""Of a stream, until three are compared in which the node is not silent."""
_SILENT = "the node gives 0 throughout, so that nothing can be compared"
_HALF_SNR_DB = 30.0
"""Required of weights in half precision: rounding is a thirtieth of the output at most."""

Tensors = Mapping[str, torch.Tensor]


def check(network: ExportedNetwork, run: Runtime, dtype: torch.dtype) -> list[LengthReport]:
    """Compares a file in its runtime with the node.

    The node runs as it is; of a network with state, the calls are one stream from its beginning.

    Args:
        network: what the node exports.
        run: the file in its runtime.
        dtype: of the weights in the file.

    Raises:
        ValueError: if an example has a length that is no other one.
    """
    traced = _sizes(network, network.example(0))
    state: Tensors = dict(network.state)
    found: list[LengthReport] = []
    skipped: LengthReport | None = None
    for call in range(_MOST_BLOCKS if network.state else len(LENGTHS)):
        number = LENGTHS[call % len(LENGTHS)]
        begin_stage(f"checking, {len(found) + 1} of {len(LENGTHS)}")
        values = network.example(number)
        sizes = _sizes(network, values)
        if same := [name for name, size in sizes.items() if traced[name] == size]:
            raise ValueError(f"example({number}) has the traced size of {', '.join(same)}")
        one, state = _compared(network, run, values, state, dtype)
        one = one.model_copy(update={"sizes": sizes})
        # A stream begins with silence as long as its latency: equal on both sides, and no proof.
        if network.state and one.failure == _SILENT and _within(one):
            skipped = one
            continue
        found.append(one)
        if len(found) == len(LENGTHS):
            break
    return found or ([] if skipped is None else [skipped])


def _within(report: LengthReport) -> bool:
    return all(output.ok for output in report.outputs)


def _sizes(network: ExportedNetwork, values: Tensors) -> dict[str, int]:
    """The sizes that vary, by name.

    Raises:
        ValueError: if an input has other axes than were declared, or one name has two sizes.
    """
    sizes: dict[str, int] = {}
    for name, tensor in network.inputs.items():
        shape = values[name].shape
        if len(shape) != len(tensor.axes) or values[name].dtype != tensor.dtype:
            text = f"{name} is {values[name].dtype} {list(shape)}, expected {tensor.dtype}"
            raise ValueError(f"{text} {list(tensor.axes)}")
        for axis, size in zip(tensor.axes, shape, strict=True):
            if axis != size and (isinstance(axis, int) or sizes.setdefault(axis, size) != size):
                raise ValueError(f"{name} has sizes {list(shape)}, expected {list(tensor.axes)}")
    return sizes


def _compared(
    network: ExportedNetwork, run: Runtime, values: Tensors, state: Tensors, dtype: torch.dtype
) -> tuple[LengthReport, Tensors]:
    """One call, and the state after it."""
    given = {**values, **state}
    # Calls with state are a stream of the node's own, and cannot be repeated.
    repeats = 1 if network.state else _REPEATS
    expected, node_ms = _timed(lambda: network.reference(values), repeats)
    try:
        made, export_ms = _timed(lambda: run(given), repeats)
    except Exception as error:  # whatever a runtime raises for sizes that it does not take
        failure = f"the runtime refuses it: {first_line(error)}"
        return LengthReport(
            sizes={}, outputs=[], node_ms=node_ms, export_ms=None, failure=failure
        ), state
    outputs = [
        _difference(name, network.outputs[name], expected[name], made[name], dtype)
        for name in network.outputs
        if name in expected
    ]
    silent = not any(bool(expected[found.output].any()) for found in outputs)
    failure = _SILENT if silent else None
    report = LengthReport(
        sizes={}, outputs=outputs, node_ms=node_ms, export_ms=export_ms, failure=failure
    )
    return report, {name: made[f"{name}{NEXT}"] for name in network.state}


def _timed(call: Callable[[], Tensors], repeats: int) -> tuple[Tensors, float]:
    """The result of a call, and its least CPU time in ms."""
    made, least = _once(call)
    for _ in range(repeats - 1):
        least = min(least, _once(call)[1])
    return made, least


def _once(call: Callable[[], Tensors]) -> tuple[Tensors, float]:
    begun = time.thread_time_ns()
    made = call()
    return made, (time.thread_time_ns() - begun) / 1e6


def _difference(
    name: str,
    tensor: ExportedTensor,
    expected: torch.Tensor,
    made: torch.Tensor,
    dtype: torch.dtype,
) -> OutputDifference:
    """How far one output is from the node's."""
    if expected.shape != made.shape:
        limit, found = (f"sizes {list(x.shape)}" for x in (expected, made))
        return OutputDifference(
            output=name, largest=None, snr_db=None, limit=limit, found=found, ok=False
        )
    one, two = expected.detach().numpy(), made.detach().numpy()
    largest, sums = largest_difference(one, two), difference_sums(one, two)
    half = dtype != torch.float32
    finite = largest < float("inf")
    equal = finite and largest == 0
    snr = "" if equal else f" ({sums.snr_db:.1f} dB)"
    if half and tensor.chosen:
        near = _near_share(expected, made)
        close, limit = near >= _CHOSEN_NEAR, f"{_CHOSEN_NEAR:.0%} of the values within 50 cents"
        snr = f", {near:.1%} within 50 cents"
    elif half:
        close, limit = equal or sums.snr_db >= _HALF_SNR_DB, f"SNR >= {_HALF_SNR_DB:g} dB"
    else:
        close, limit = largest <= tensor.tolerance, f"largest <= {tensor.tolerance:g}"
    return OutputDifference(
        output=name,
        largest=largest if finite else None,
        snr_db=None if equal or not finite else sums.snr_db,
        limit=limit,
        found=f"{largest:.2g}{snr}" if finite else "values that are not finite",
        ok=finite and close,
    )


def _near_share(expected: torch.Tensor, made: torch.Tensor) -> float:
    """The share of values within 50 cents; 0 is near 0 alone."""
    return float(((made - expected).abs() <= _CENTS * expected.abs()).double().mean())

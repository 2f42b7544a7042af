"""Which precision is fastest on this processor: measured at load, on parts of the network.

What a processor has says little: products in bfloat16 take half the time with AMX or on Zen 4 and
5, and one and a half times as long with AVX512_BF16 on some other processors. So a part of the
network runs in each form, at its true size, with the threads that the session has. It takes some
20 ms for each part and form, once in a process for each size and number of threads.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from voicegraph.nodes.layers.form import (
    PACKED_BFLOAT16,
    PACKED_FLOAT32,
    PACKED_INT8,
    Form,
    Packers,
)
from voicegraph.nodes.layers.int8_linear import FULL_PEAK, can_quantise, input_peak
from voicegraph.nodes.layers.packed import can_pack

_PREFERRED = (PACKED_BFLOAT16, PACKED_INT8)
"""Narrow forms, the more accurate one first: the next is taken only if this one does not pay."""
_WORTH = 0.9
"""Share of float32's time that a narrow form may take at most: less is not worth its rounding."""
_BUDGET_NS = 20_000_000
_LEAST_ROUNDS = 4
_MOST_ROUNDS = 30
_AGREE, _CONFIRMED = 1.1, 3
"""Rounds that must be within a tenth of the fastest."""
_MOST_BUDGETS = 8
_now_ns = time.perf_counter_ns if sys.platform == "win32" else time.thread_time_ns
"""CPU time of this thread, which has its share of the work: other programs disturb it least.
Windows counts it in steps of 16 ms only."""
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class TrialStage:
    """A part of a network that stands for its cost.

    Attributes:
        key: everything that decides its cost: names and sizes.
        make: builds the part in a form, with any weights, and returns a function that runs it once.
        count: how many times the network has it, by its cost.
    """

    key: Hashable
    make: Callable[[Form], Callable[[], object]]
    count: float = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured.

    Attributes:
        form: the form to take.
        milliseconds: of all stages in a form, by precision; empty if there was nothing to choose.
    """

    form: Form
    milliseconds: Mapping[str, float] = field(default_factory=dict)


_guard = threading.Lock()
_measured: dict[Hashable, Trial] = {}


def fastest_form(
    packings: Mapping[Form, Packers], stages: Sequence[TrialStage], device: torch.device
) -> Trial | None:
    """The form of a network that ``dtype: auto`` takes, by a trial or from an earlier one.

    Args:
        packings: of the network.
        stages: what to measure.
        device: where the network will run.

    Returns:
        None if there is nothing to choose from: on a GPU, or without packed float32.
    """
    if PACKED_FLOAT32 not in packings or not can_pack(device, torch.float32):
        return None
    forms = [PACKED_FLOAT32, *(form for form in _PREFERRED if form in packings and _exists(form))]
    key = (tuple(stage.key for stage in stages), tuple(forms), processor())
    with _guard:  # one at a time: two would disturb each other
        if key not in _measured:
            _measured[key] = _choose(forms, stages)
        return _measured[key]


def processor() -> tuple[str, str, int]:
    """What a measured time depends on, besides what is measured: instructions and threads."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    return torch.backends.cpu.get_cpu_capability(), limit, torch.get_num_threads()


def _exists(form: Form) -> bool:
    """Without VNNI, int8 has 7 bits: enough for who asks for it, not for ``auto``."""
    if form is PACKED_INT8:
        return can_quantise(_CPU) and input_peak() == FULL_PEAK
    return can_pack(_CPU, torch.bfloat16)


def _choose(forms: Sequence[Form], stages: Sequence[TrialStage]) -> Trial:
    if len(forms) == 1:
        return Trial(forms[0])
    total = dict.fromkeys(forms, 0.0)
    with torch.inference_mode(False), torch.no_grad():
        for stage in stages:
            for form, nanoseconds in _least_times(forms, stage).items():
                total[form] += stage.count * nanoseconds / 1e6
    limit = _WORTH * total[PACKED_FLOAT32]
    chosen = next((form for form in forms[1:] if total[form] <= limit), PACKED_FLOAT32)
    return Trial(chosen, {form.precision: spent for form, spent in total.items()})


def _least_times(forms: Sequence[Form], stage: TrialStage) -> dict[Form, int]:
    """The least nanoseconds of a stage in each form, run in turns.

    On a busy machine the threads wait for each other, and few rounds are undisturbed: there are
    more of them, until each form has been as fast as its fastest round several times.
    """
    runs = {form: stage.make(form) for form in forms}
    for run in runs.values():
        run()  # compiles kernels and packs for this size
    spent: dict[Form, list[int]] = {form: [] for form in forms}
    used = 0
    while not _is_settled(spent.values(), used / (_BUDGET_NS * len(forms))):
        for form, run in runs.items():
            before = _now_ns()
            run()
            spent[form].append(_now_ns() - before)
            used += spent[form][-1]
    return {form: min(times) for form, times in spent.items()}


def _is_settled(spent: Collection[Sequence[int]], budgets: float) -> bool:
    """Whether enough was measured; ``budgets`` is the time it took, in budgets."""
    rounds = min(len(times) for times in spent)
    if rounds < _LEAST_ROUNDS or (budgets < 1 and rounds < _MOST_ROUNDS):
        return False
    agree = (sum(t <= _AGREE * min(times) for t in times) >= _CONFIRMED for times in spent)
    return budgets >= _MOST_BUDGETS or all(agree)

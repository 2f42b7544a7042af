"""Which ports two plans have in common."""

from __future__ import annotations

from ..errors import PipelineError, Problem
from ..pipeline import Plan
from ..ports import PortRef
from ..signals import Audio, SignalType


def common_ports(a: Plan, b: Plan) -> tuple[dict[PortRef, SignalType], dict[str, str]]:
    """Ports of the same node name, port name and type, in the order of A.

    Returns:
        Port -> type of those in common, and port -> why not of all others.
    """
    ours, theirs = _types(a), _types(b)
    common = {ref: kind for ref, kind in ours.items() if theirs.get(ref) == kind}
    others: dict[str, str] = {}
    for ref in dict.fromkeys([*ours, *theirs]):
        if ref in common:
            continue
        if ref not in theirs:
            others[str(ref)] = "only in A"
        elif ref not in ours:
            others[str(ref)] = "only in B"
        else:
            others[str(ref)] = f"{ours[ref]} in A, {theirs[ref]} in B"
    return common, others


def _types(plan: Plan) -> dict[PortRef, SignalType]:
    return {
        PortRef(planned.name, port): spec.type
        for planned in plan.nodes
        for port, spec in planned.asked.items()
    }


def output_type(a: Plan, b: Plan) -> SignalType:
    """The type in which the outputs are compared.

    Audio of two rates is compared at the lower one, audio of two channel counts in mono.

    Raises:
        PipelineError: if the outputs cannot be compared.
    """
    one, two = a.output_type, b.output_type
    if isinstance(one, Audio) and isinstance(two, Audio):
        channels = one.channels if one.channels == two.channels else 1
        return Audio(min(one.rate, two.rate), channels)
    if one == two:
        return one
    text = f"the output of A is {one}, that of B is {two}: these cannot be compared"
    fix = "compare ports that both have, such as --set output=NODE.PORT"
    raise PipelineError(Problem("other-output", text, fix=fix))

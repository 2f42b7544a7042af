"""Phase: checks rates against the block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration, format_rate

from ..ports import PortRef
from ..signals import Audio, SignalType
from .node_ir import INPUT, CompileContext


def check_rates(context: CompileContext) -> None:
    """Reports streams and outputs without a whole number of samples or frames in a block."""
    streams: dict[PortRef, SignalType] = {INPUT: context.source}
    for ir in context.nodes.values():
        for port, found in ir.node.output_types.items():
            ref = PortRef(ir.name, port)
            if not ir.windows.get(port) or ref == context.output:
                streams[ref] = found
    broken: dict[Fraction, tuple[PortRef, SignalType]] = {}
    for ref, found in streams.items():
        if (found.rate * context.block).denominator > 1:
            broken.setdefault(found.rate, (ref, found))  # reported at the first port of a rate
    if not broken:
        return
    # Ports with one value per block, such as the offset of dsp.sola, fit every block.
    rates = [found.rate for found in streams.values() if found.rate * context.block != 1]
    grain = _writable(1 / common_rate(rates))
    below = math.floor(context.block / grain)
    works = [format_duration(grain * n) for n in (below, below + 1) if n > 0]
    for ref, found in broken.values():
        count = float(found.rate * context.block)
        path = ("input",) if ref == INPUT else ("nodes", ref.node)
        values = "samples" if isinstance(found, Audio) else "frames"
        context.problems.add(
            "rate-against-block",
            f"{ref.node} at {format_rate(found.rate)} has {count:g} {values} in a block of "
            f"{format_duration(context.block)}, which is not a whole number",
            context.mark(*path),
            notes=[(f"block  {format_duration(context.block)}", context.mark("block"))],
            fix=f"block: {works[0]}" + (f"   (or {works[1]})" if len(works) > 1 else ""),
        )


def _writable(grain: Fraction) -> Fraction:
    """The smallest multiple with a finite decimal fraction: 10 ms has one, 1/44100 s does not."""
    odd = grain.denominator
    for prime in (2, 5):
        while odd % prime == 0:
            odd //= prime
    return grain * odd


def common_rate(rates: Iterable[Fraction]) -> Fraction:
    """The greatest rate in Hz of which all ``rates`` are whole multiples."""
    result = Fraction(0)
    for rate in rates:
        result = Fraction(
            math.gcd(result.numerator * rate.denominator, rate.numerator * result.denominator),
            result.denominator * rate.denominator,
        )
    return result

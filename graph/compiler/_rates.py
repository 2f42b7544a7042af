"""Phase: checks rates against the block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from voicegraph.schemas.quantities import format_duration, format_rate

from ..errors import Mark
from ..ports import PortRef
from ..signals import Audio
from .node_ir import INPUT, CompileContext


def check_rates(context: CompileContext) -> None:
    """Reports a block that is no whole number of samples or frames, as one mistake."""
    rates = _rates(context)
    broken: dict[Fraction, str] = {}
    for name, rate, unit in rates:
        if (rate * context.block).denominator > 1:
            broken.setdefault(rate, f"{name} at {format_rate(rate)} has {{count:g}} {unit}")
    if not broken:
        return
    # Ports with one value per block, such as the offset of dsp.sola, fit every block.
    grain = _writable(1 / common_rate(r for _, r, _ in rates if r * context.block != 1))
    below = math.floor(context.block / grain)
    works = [format_duration(grain * n) for n in (below, below + 1) if n > 0]
    lines = [
        (text.format(count=float(rate * context.block)), _mark(context, text.split(" ", 1)[0]))
        for rate, text in broken.items()
    ]
    block = format_duration(context.block)
    (text, mark), *more = lines
    notes = [(f"block  {block}", context.mark("block")), *more]
    if more:
        notes, mark = lines[1:], context.mark("block")
    context.problems.add(
        "rate-against-block",
        f"{text} in a block of {block}, which is not a whole number",
        mark,
        notes=notes,
        fix=f"block: {works[0]}" + (f"   (or {works[1]})" if len(works) > 1 else ""),
    )


def _rates(context: CompileContext) -> list[tuple[str, Fraction, str]]:
    """Name, rate and unit of everything of which a block must hold a whole number."""
    found = [(INPUT.node, context.source.rate, "samples")]
    for ir in context.nodes.values():
        types = ir.node.output_types
        for port, made in types.items():
            if not ir.windows.get(port) or PortRef(ir.name, port) == context.output:
                unit = "samples" if isinstance(made, Audio) else "frames"
                found.append((ir.name, made.rate, unit))
        if types:
            found += [(ir.name, rate, "frames") for rate in ir.node.block_rates(ir.params)]
    return found


def _mark(context: CompileContext, name: str) -> Mark:
    return context.mark(*(("input",) if name == INPUT.node else ("nodes", name)))


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

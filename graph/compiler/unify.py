"""Phase: signal types from the input to the output, and who set which rate where they disagree."""

from __future__ import annotations

from fractions import Fraction

from voicegraph.schemas.quantities import format_rate

from ..errors import Mark
from ..node import Node
from ..ports import In, PortRef
from ..signals import Audio, SignalType
from .draft import INPUT, Draft, Sheet
from .order import looped, loops

Note = tuple[str, Mark | None]


def unify(sheet: Sheet) -> None:
    """Gives every connected port its type; reports every edge whose ends do not fit."""
    waiting = dict(sheet.drafts)
    failed: set[str] = set()
    while waiting:
        ready = [d for d in waiting.values() if _ready(sheet, d, whole=True)]
        if not ready:
            ready = _loop_starter(sheet, waiting)
        if not ready:
            _report_stuck(sheet)
            break
        for draft in ready:
            del waiting[draft.name]
            if not _infer(sheet, draft, failed):
                failed.add(draft.name)
    for draft in sheet.drafts.values():
        if draft.name not in failed and draft.name not in waiting:
            _check_edges(sheet, draft)
    _check_output(sheet)


def _loop_starter(sheet: Sheet, waiting: dict[str, Draft]) -> list[Draft]:
    """Inside a loop no node has all its inputs first: one that lacks no others, and inherits."""
    for name, group in looped(sheet).items():
        draft = waiting.get(name)
        if draft is None or not _ready(sheet, draft, whole=False):
            continue
        missing = [ref for ref in draft.sources.values() if sheet.type_of(ref) is None]
        if all(ref.node in group for ref in missing):
            return [draft]
    return []


def _ready(sheet: Sheet, draft: Draft, whole: bool) -> bool:
    """Whether enough inputs are known: all of them, or those that the outputs inherit from."""
    if whole or type(draft.node).infer is not Node.infer:
        return all(sheet.type_of(ref) is not None for ref in draft.sources.values())
    return {out.like for out in draft.node.declared.outputs.values()} <= _known(sheet, draft).keys()


def _known(sheet: Sheet, draft: Draft) -> dict[str, SignalType]:
    """Types of the inputs; one that a loop has still to close is as those that it must be like."""
    found = {port: sheet.type_of(ref) for port, ref in draft.sources.items()}
    known = {port: t for port, t in found.items() if t is not None}
    declared = draft.node.declared.inputs
    for port in draft.sources:
        like = declared[port].like
        if like is not None and port in known:
            known.setdefault(like, known[port])
    for port in draft.sources:
        like = declared[port].like
        if like is not None and like in known:
            known.setdefault(port, known[like])
    return known


def _report_stuck(sheet: Sheet) -> None:
    """A loop that nothing feeds has no type; where an error came before, that one is enough."""
    if sheet.problems.found:
        return
    for loop in loops(sheet):
        sheet.problems.add(
            "loop",
            f"nothing outside feeds the loop {' -> '.join([*loop, loop[0]])}, so it has no type",
            sheet.mark("nodes", loop[0]),
            fix="feed it through dsp.mix",
        )


def _infer(sheet: Sheet, draft: Draft, failed: set[str]) -> bool:
    if any(ref.node in failed for ref in draft.sources.values()):
        return False
    known = _known(sheet, draft)
    wrong = [p for p, t in known.items() if _mismatch(draft.node.declared.inputs[p], t, known)]
    if wrong:
        for port in wrong:
            _report(sheet, draft, port, known)
        return False
    draft.node.input_types = known
    try:
        draft.node.output_types = draft.node.infer(draft.params, known)
    except ValueError as error:
        path = ("nodes", draft.name)
        sheet.problems.add("types-do-not-fit", f"{draft.name}: {error}", sheet.mark(*path))
        return False
    takes_window = any(sheet.is_window(ref) for ref in draft.sources.values())
    draft.windows = {
        name: out.window or (draft.node.pure and takes_window)
        for name, out in draft.node.declared.outputs.items()
    }
    return True


def _check_edges(sheet: Sheet, draft: Draft) -> None:
    """Second look, now that loops are closed: types again, and windows that nobody joins."""
    known = {p: t for p, ref in draft.sources.items() if (t := sheet.type_of(ref)) is not None}
    complete = len(known) == len(draft.sources)
    declared = draft.node.declared.inputs
    if complete and draft.node.input_types != known:
        for port in [p for p, t in known.items() if _mismatch(declared[p], t, known)]:
            _report(sheet, draft, port, known)
        draft.node.input_types = known
    if draft.all_windows:
        return
    for port, ref in draft.sources.items():
        if sheet.is_window(ref) and not declared[port].window:
            joiner = "pitch.cache" if known[port].kind in ("pitch", "mask") else "dsp.sola"
            sheet.problems.add(
                "window-into-stream",
                f"{ref.node} feeds {draft.name}, which takes a stream, but {ref.node} estimates its "
                "whole span afresh at every tick, so blocks would not join",
                _edge_mark(sheet, draft, port),
                fix=f"put {joiner} between {ref.node} and {draft.name}",
            )


def _mismatch(declared: In, found: SignalType, inputs: dict[str, SignalType]) -> str | None:
    """What does not fit, as ``(expected, found)`` text; None where all does."""
    if not isinstance(found, declared.kind):
        return f"takes {declared.kind.kind}, but gives {found.kind}"
    if declared.rate is not None and found.rate != declared.rate:
        rate = format_rate(Fraction(declared.rate))
        return f"takes {found.kind} at {rate}, but gives {format_rate(found.rate)}"
    width = declared.channels if declared.channels is not None else declared.dim
    if width is not None and found.width != width:
        return f"takes {_width(found, width)}, but gives {_width(found, found.width)}"
    if declared.like and (other := inputs.get(declared.like)) is not None and other != found:
        return f"takes the same type as its `{declared.like}` ({other}), but gives {found}"
    return None


def _width(found: SignalType, width: int | None) -> str:
    if found.width_name == "channels":
        return f"{width} channel" if width == 1 else f"{width} channels"
    return f"{width} dimensions"


def _report(sheet: Sheet, draft: Draft, port: str, inputs: dict[str, SignalType]) -> None:
    ref = draft.sources[port]
    declared, found = draft.node.declared.inputs[port], inputs[port]
    what = _mismatch(declared, found, inputs)
    notes = _provenance(sheet, ref)
    other = declared.like and draft.sources.get(declared.like)
    if other and isinstance(found, declared.kind):
        notes += _provenance(sheet, other)
    notes += _switched_off(sheet, draft, port)
    sheet.problems.add(
        "types-do-not-fit",
        f"{ref.node} feeds {_consumer(draft, port)}, which {what}",
        _edge_mark(sheet, draft, port),
        notes=notes,
        fix=_fix(sheet, draft, port, inputs),
    )


def _switched_off(sheet: Sheet, draft: Draft, port: str) -> list[Note]:
    """The node that the file names there, where that one passes something else through."""
    wanted = draft.spec.inputs
    written = wanted if isinstance(wanted, str) else (wanted or {}).get(port, "")
    name = written.partition(".")[0]
    if name not in sheet.bypassed:
        return []
    mark = sheet.mark("nodes", name, "enabled")
    return [(f"{name} is switched off, so it passes its input through", mark)]


def _consumer(draft: Draft, port: str) -> str:
    return draft.name if len(draft.node.declared.inputs) == 1 else f"{draft.name}.{port}"


def _edge_mark(sheet: Sheet, draft: Draft, port: str) -> Mark:
    return sheet.mark("nodes", draft.name, "in", port)


def _provenance(sheet: Sheet, ref: PortRef) -> list[Note]:
    """Follows a type back to the place that set it: one line."""
    seen: set[PortRef] = set()
    while ref not in seen:
        seen.add(ref)
        found = sheet.type_of(ref)
        if ref == INPUT:
            return [(f"input  {found} <- input.rate, input.channels", sheet.mark("input"))]
        draft = sheet.drafts[ref.node]
        like = draft.node.declared.outputs[ref.port].like
        own = _own_rate(draft, found)
        if own or like is None or like not in draft.sources:
            text = f"{ref.node}  {found} <- {own or draft.node.use}"
            path = ("nodes", ref.node, *own.split(".")) if own else ("nodes", ref.node, "use")
            return [(text, sheet.mark(*path))]
        ref = draft.sources[like]
    return []


def _own_rate(draft: Draft, found: SignalType | None) -> str | None:
    """The param that decided the rate, by name, if one did."""
    if found is None or getattr(draft.params, "rate", None) != found.rate:
        return None
    return "params.rate"


def _fix(sheet: Sheet, draft: Draft, port: str, inputs: dict[str, SignalType]) -> str | None:
    """What to type: a param to change, or the node to write into the file."""
    ref = draft.sources[port]
    written = sheet.written(ref)
    declared, found = draft.node.declared.inputs[port], inputs[port]
    target = inputs.get(declared.like) if declared.like else None
    if not isinstance(found, declared.kind):
        return _same_kind(sheet, draft, port)
    rate = Fraction(declared.rate) if declared.rate else (target.rate if target else None)
    if rate is not None and rate != found.rate and isinstance(found, Audio):
        source = sheet.drafts.get(ref.node)
        if source is not None and _own_rate(source, found):
            return f"nodes.{ref.node}.params.rate: {rate}"
        body = f"use: dsp.resample, in: {written}, params: {{rate: {rate}}}"
        return _insert(sheet, draft, port, f"to{_khz(rate)}", body)
    if isinstance(found, Audio):
        channels = declared.channels or (target.width if target else None)
        if channels == 1:
            return _insert(sheet, draft, port, "mono", f"use: dsp.to_mono, in: {written}")
        if channels:
            params = f"params: {{channels: {channels}}}" if channels != 2 else ""
            body = f"use: dsp.to_stereo, in: {written}" + (f", {params}" if params else "")
            return _insert(sheet, draft, port, "wide", body)
    return None


def _khz(rate: Fraction) -> str:
    return f"{float(rate / 1000):g}k".replace(".", "_")


def _insert(sheet: Sheet, draft: Draft, port: str, name: str, body: str) -> str:
    name = sheet.new_name(name)
    single = len(draft.node.declared.inputs) == 1
    target = f"nodes.{draft.name}.in" + ("" if single else f".{port}")
    return f"add to nodes:  {name}: {{{body}}}\nand write  {target}: {name}"


def _same_kind(sheet: Sheet, draft: Draft, port: str) -> str | None:
    kind = draft.node.declared.inputs[port].kind
    ref = draft.sources[port]
    own = sheet.drafts.get(ref.node)
    for name, out in own.node.declared.outputs.items() if own else ():
        if out.kind is kind:  # the right node, the wrong port of it
            return f"nodes.{draft.name}.in.{port}: {ref.node}.{name}"
    for other in sheet.drafts.values():
        for i, (name, out) in enumerate(other.node.declared.outputs.items()):
            if out.kind is kind and other is not draft:
                return f"nodes.{draft.name}.in.{port}: {other.name}" + (f".{name}" if i else "")
    return None


def _check_output(sheet: Sheet) -> None:
    if sheet.is_window(sheet.output) and isinstance(sheet.type_of(sheet.output), Audio):
        name, source = sheet.new_name("sola"), sheet.written(sheet.output)
        entry = f"{{use: dsp.sola, in: {source}}}"
        sheet.problems.add(
            "window-into-stream",
            f"the output is {sheet.output.node}, which estimates its whole span afresh at every "
            "tick, so blocks would not join",
            sheet.mark("output"),
            fix=f"add to nodes:  {name}: {entry}\nand write  output: {name}",
        )

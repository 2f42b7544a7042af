"""Phase: signal types from the input to the output."""

from __future__ import annotations

from ..node import Node
from ..signals import Audio, SignalType
from ._order import looped, loops
from ._type_errors import edge_mark, joined, mismatch, report_misfit
from .node_ir import Draft, Sheet
from .provenance import label


def unify(sheet: Sheet) -> None:
    """Gives every connected port its type; reports every edge whose ends do not fit."""
    waiting = dict(sheet.drafts)
    failed: set[str] = set()
    starter: list[Draft] = []
    while waiting:
        before = len(waiting)
        for draft in starter or list(waiting.values()):
            if starter or _ready(sheet, draft, whole=True):
                del waiting[draft.name]
                if not _infer(sheet, draft, failed):
                    failed.add(draft.name)
        starter = [] if len(waiting) < before else _loop_starter(sheet, waiting)
        if len(waiting) == before and not starter:
            _report_stuck(sheet)
            break
    _spread_windows(sheet)
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
    if whole:
        return all(sheet.type_of(ref) is not None for ref in draft.sources.values())
    known = _known(sheet, draft).keys()
    if type(draft.node).infer is not Node.infer:
        return draft.sources.keys() <= known
    return {out.like for out in draft.node.declared.outputs.values()} <= known


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
        refs = [ref for name in loop for ref in sheet.drafts[name].sources.values()]
        fed = any(sheet.type_of(ref) is not None for ref in refs)
        why = "depend on one another" if fed else "are not known: nothing outside feeds it"
        sheet.problems.add(
            "loop",
            f"the types of the loop {' -> '.join([*loop, loop[0]])} {why}",
            sheet.mark("nodes", loop[0]),
            fix=f"feed it through dsp.mix, whose output is like its input: nodes.{loop[0]}.in: mix",
        )


def _infer(sheet: Sheet, draft: Draft, failed: set[str]) -> bool:
    if any(ref.node in failed for ref in draft.sources.values()):
        return False
    known = _known(sheet, draft)
    wrong = [p for p, t in known.items() if mismatch(draft.node.declared.inputs[p], t, known)]
    if wrong:
        for port in wrong:
            report_misfit(sheet, draft, port, known)
        return False
    draft.node.input_types = known
    try:
        draft.node.output_types = label(draft.node, known, draft.node.infer(draft.params, known))
    except ValueError as error:
        path = ("nodes", draft.name)
        sheet.problems.add("types-do-not-fit", f"{draft.name}: {error}", sheet.mark(*path))
        return False
    return True


def _spread_windows(sheet: Sheet) -> None:
    """What is pure and takes a window gives windows: round loops, too, until nothing changes."""
    for draft in sheet.drafts.values():
        draft.windows = {name: out.window for name, out in draft.node.declared.outputs.items()}
    changed = True
    while changed:
        changed = False
        for draft in sheet.drafts.values():
            takes_window = any(sheet.is_window(ref) for ref in draft.sources.values())
            if draft.node.pure and takes_window and not draft.all_windows:
                draft.windows = dict.fromkeys(draft.windows, True)
                changed = True


def _check_edges(sheet: Sheet, draft: Draft) -> None:
    """Second look, now that loops are closed: types again, and windows that nobody joins."""
    known = {p: t for p, ref in draft.sources.items() if (t := sheet.type_of(ref)) is not None}
    complete = len(known) == len(draft.sources)
    declared = draft.node.declared.inputs
    if complete:
        if draft.node.input_types != known:
            for port in [p for p, t in known.items() if mismatch(declared[p], t, known)]:
                report_misfit(sheet, draft, port, known)
        draft.node.input_types = known
    if draft.all_windows:
        return
    for port, ref in draft.sources.items():
        if sheet.is_window(ref) and not declared[port].window:
            sheet.problems.add(
                "window-into-stream",
                f"{ref.node} feeds {draft.name}, which takes a stream, but {ref.node} estimates "
                "its whole span afresh at every tick, so blocks would not join",
                edge_mark(sheet, draft, port),
                fix=joined(sheet, draft, port),
            )


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

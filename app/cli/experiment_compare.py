"""``voicegraph experiment compare``: how two runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ._limit_codes import limits_code
from ._opened_run import opened_run
from ._options import JsonOption, argument, option
from ._output import echo, print_json
from .experiment import experiment

if TYPE_CHECKING:
    pass

AArg = Annotated[str, argument("A", "The reference: the folder of a run.")]
BArg = Annotated[str, argument("B", "What is judged: the folder of another run.")]
WithinOption = Annotated[
    list[str] | None,
    option(
        "LIMIT",
        "A condition on the difference B - A in every cell, such as 'f0.gross<=.01', "
        "'likeness.target>=-.02' or 'identical'. The exit code is 9 if one does not hold. May be "
        "repeated.",
        "--within",
    ),
]


@experiment.command("compare")
def experiment_compare(
    a: AArg, b: BArg, within: WithinOption = None, as_json: JsonOption = False
) -> int:
    """Compare two runs: plans that differ, values in pairs with tests, costs, what one lacks.

    voicegraph experiment compare results/before results/after --within 'f0.gross<=.01'

    Exit code 9 if a condition of --within does not hold, 3 if one cannot be judged.
    """
    from voicegraph.experiments.results.difference import difference

    found = difference(opened_run(a), opened_run(b), within or ())
    print_json(found.report) if as_json else echo(str(found))
    return limits_code(found.report.within, found.report.limits)

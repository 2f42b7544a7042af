"""``voicegraph experiment check``: everything that is known before anything runs."""

from __future__ import annotations

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.regular_file import shortened
from voicegraph.graph.terminal_text import printable

from ._experiment_options import (
    ExperimentArg,
    ExperimentProfileOption,
    ExperimentSetOption,
    MetricsFileOption,
    default_run_folder,
    load_experiment_file,
    store_of,
)
from ._failures import problem_reports
from ._options import JsonOption
from ._output import echo, print_json
from ._typed_again import with_command
from .experiment import experiment


@experiment.command("check")
def experiment_check(
    file: ExperimentArg,
    set_args: ExperimentSetOption = None,
    profiles: ExperimentProfileOption = None,
    metrics_files: MetricsFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compile every plan of an experiment, find every file, and say what a run would do.

    Prints cells, conversions, what is in the store, minutes and MB, what each level changes besides
    itself, and metrics that are not independent of a system. Runs and writes nothing. Exit code 2
    if something is wrong: all mistakes at once, with places and fixes.
    """
    from voicegraph.experiments.grid.check import check_report
    from voicegraph.experiments.grid.check_text import check_text
    from voicegraph.experiments.grid.compile import compile_experiment
    from voicegraph.schemas.experiment_check import ExperimentCheckReport

    try:
        loaded = load_experiment_file(file, set_args, profiles, metrics_files)
        store = store_of(loaded, default_run_folder(loaded.name))
        report = check_report(compile_experiment(loaded, store=store), store)
    except VoicegraphError as error:
        typed = ["experiment", "check", file]
        found = VoicegraphError(with_command(p, typed) for p in error.problems)
        if not as_json:
            count, name = len(found.problems), printable(shortened(file))
            echo(f"{found}\n{name}: {count} problem{'s' if count > 1 else ''}", err=True)
            return error.exit_code
        problems = problem_reports(found)
        report = ExperimentCheckReport(name=file, path=None, ok=False, problems=problems)
        print_json(report)
        return error.exit_code
    if as_json:
        print_json(report)
    else:
        echo(check_text(report))
    return 0

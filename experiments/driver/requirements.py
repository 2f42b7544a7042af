"""Which packages a run needs; all that are missing are named at once, before anything begins."""

from __future__ import annotations

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.optional_packages import is_installed, missing_package

_ALWAYS = ("filelock", "platformdirs", "threadpoolctl")
_PROCESSES = ("pebble",)
_PARQUET = ("pandas", "pyarrow")


def require_packages(engine: str, table_format: str) -> None:
    """Checks that everything is installed that a run needs, whatever it computes.

    Args:
        engine: ``serial``, ``processes`` or ``ray``.
        table_format: ``parquet`` or ``csv``.

    Raises:
        PipelineError: with the commands that install what is missing.
    """
    needed = [*_ALWAYS]
    needed += _PROCESSES if engine == "processes" else ()
    needed += _PARQUET if table_format == "parquet" else ()
    problems: list[Problem] = []
    if missing := [name for name in needed if not is_installed(name)]:
        what = "running an experiment"
        problems.append(missing_package(what, *missing, extra="experiment"))
    if engine == "ray" and not is_installed("ray"):
        problems.append(missing_package("--ray", "ray", extra="cluster"))
    if problems:
        raise PipelineError(problems)

"""The command line's frame: registers commands, turns errors into messages and exit codes.

Exit codes: 0 done; 1 other failure; 2 the command line or a pipeline is wrong; 3 input; 4 output;
5 device; 6 NaN or a wrong shape while running; 7 a snapshot or recording does not fit; 8 tasks of
an experiment failed; 130 stopped by Ctrl-C, 128 + n by signal n. They are the ``exit_code`` of the
error classes in ``graph/errors.py``.

Command modules import what is heavy (torch, matplotlib) inside their functions: help and shell
completion must answer at once.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated

import typer

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.terminal_text import printable_streams

from ._output import CommandGroup, UsageError, echo, show_usage_error
from ._startup import not_installed
from ._termination import terminated_like_ctrl_c
from ._typed_again import with_command

COMMANDS = (
    *(
        "app_command",
        "demo",
        "run",
        "check",
        "explain",
        "draw",
        "nodes",
        "diff",
        "compare",
        "bench",
    ),
    *(
        "inspect",
        "convert",
        "export",
        "bundle",
        "doctor",
        "devices",
        "live",
        "latency",
        "soak",
        "replay",
        "sdk",
        "voice",
        "voice_list",
        "voice_show",
        "voice_add",
        "voice_edit",
        "voice_merge",
        "voice_remove",
        "voice_make",
        "index",
    ),
    *(
        "experiment",
        "experiment_check",
        "experiment_compare",
        "experiment_export",
        "experiment_listen",
        "experiment_metrics",
        "experiment_report",
        "experiment_run",
        "experiment_gc",
    ),
)
STOPPED = 130

app = CommandGroup(
    name="voicegraph",
    help="Real-time voice conversion as a graph of nodes, wired in YAML.",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        echo(f"voicegraph {metadata.version('voicegraph')}")
        raise typer.Exit


@app.callback()
def _options(
    nodes_file: Annotated[
        list[Path] | None,
        typer.Option(help="A Python file that registers your own nodes. May be repeated."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
    if nodes_file:
        from voicegraph.graph.registry import load_file

        for path in nodes_file:
            load_file(path)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; the exit code. Never a traceback for a user's mistake."""
    arguments = sys.argv[1:] if argv is None else argv
    with printable_streams(), terminated_like_ctrl_c() as termination:
        try:
            code = _run(arguments)
        except OSError:
            if termination.number is None:
                raise
            code = STOPPED  # the terminal is gone, and nothing can be printed
        return termination.exit_code(STOPPED) if code == STOPPED else code


def _run(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # legacy Windows code pages lack the characters we print
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        for name in COMMANDS:
            import_module(f"{__package__}.{name}")
        result = app(arguments, prog_name="voicegraph", standalone_mode=False)
    except VoicegraphError as error:
        _show(error, arguments)
        return error.exit_code
    except ModuleNotFoundError as error:
        if (missing := not_installed(error)) is None:
            raise
        _show(missing, arguments)
        return missing.exit_code
    except UsageError as error:
        show_usage_error(error)
        return error.exit_code  # pyright: ignore[reportAttributeAccessIssue]
    except (typer.Abort, KeyboardInterrupt):
        echo("stopped", err=True)
        return STOPPED
    except BrokenPipeError:  # `voicegraph nodes | head`
        return 0
    return result if isinstance(result, int) else 0


def _show(error: VoicegraphError, arguments: list[str]) -> None:
    problems = [with_command(problem, arguments) for problem in error.problems]
    if "--json" in arguments:
        found = {"error": type(error).__name__, "problems": [p.as_dict() for p in problems]}
        echo(json.dumps(found, indent=2))
        return
    for problem in problems:
        echo(str(problem), err=True)
    if len(problems) > 1:
        echo(f"{len(problems)} problems", err=True)

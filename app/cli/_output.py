"""How commands print: text, and reports as JSON.

Everything goes to ``sys.stdout`` or ``sys.stderr``, which escape what a terminal must not get
(``graph/terminal_text.py``); ``app.main`` sets them up. Help pages are printed with colours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from voicegraph.graph.terminal_text import printable, printable_json, styled_streams

from ._missing_arguments import missing_argument
from ._wrong_numbers import wrong_number

if TYPE_CHECKING:
    from voicegraph.schemas.report import Report

# typer brings a copy of click of its own from 0.26 on, so that `import click` may find none or
# another one. The base of its BadParameter is UsageError: whatever is wrong with a command line.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def echo(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Prints text to standard output, or to standard error.

    ``typer.echo`` would silently remove escape sequences where there is no terminal.
    """
    print(text, end=end, file=sys.stderr if err else sys.stdout, flush=True)


def print_json(report: Report) -> None:
    """Prints a report as JSON."""
    echo(printable_json(report.model_dump_json(indent=2)))


def show_usage_error(error: Any) -> None:
    """Shows what is wrong with a command line as typer does. It may quote any argument."""
    for name in ("message", "option_name", "param_hint"):
        if isinstance(text := getattr(error, name, None), str):
            setattr(error, name, printable(text))
    error.show()


class _Command(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            better = missing_argument(self, ctx, typed, error) or wrong_number(error)
            raise better or error from None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # typer would end the program without a word
            raise typer.Abort from None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with styled_streams():
            super().format_help(ctx, formatter)


def listing_command(*options: str) -> type[TyperCommand]:
    """A class of commands in which each of ``options`` takes all arguments up to the next option.

    Shells expand ``--on speech/*.wav`` to several arguments; click's options take one each.
    """

    class ListingCommand(_Command):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            try:
                return super().parse_args(ctx, _repeated(args, options))
            except UsageError as error:
                raise _swallowed(error, args, options) from None

    return ListingCommand


def _repeated(args: Sequence[str], options: Sequence[str]) -> list[str]:
    """``--on a b`` as ``--on a --on b``.

    Raises:
        UsageError: if nothing follows one of ``options``.
    """
    found: list[str] = []
    current = None
    for word in [*args, "--"]:
        if word.startswith("-") and word != "-":
            if found and found[-1] == current:
                raise typer.BadParameter("expected at least one value after it", param_hint=current)
            current = word if word in options else None
        elif current is not None and found[-1] != current:
            found.append(current)
        found.append(word)
    return found if "--" in args else found[:-1]


def _swallowed(error: Exception, args: Sequence[str], options: Sequence[str]) -> Exception:
    """Says which option has taken an argument that is missing."""
    option = next((word for word in args if word in options), None)
    text = str(getattr(error, "message", ""))
    if option is not None and text.startswith("Missing argument"):
        name = text.split("'")[1]
        more = f"{option} takes all arguments up to the next option: give {name} before it."
        return typer.BadParameter(more, param_hint=name)
    return error


class _Group(TyperGroup):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with styled_streams():  # --install-completion says in colour what it did
            return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with styled_streams():
            super().format_help(ctx, formatter)


class CommandGroup(typer.Typer):
    """A group of commands whose help pages have colours."""

    def __init__(self, **options: Any) -> None:
        help_options = {"help_option_names": ["-h", "--help"]}
        super().__init__(cls=_Group, no_args_is_help=True, context_settings=help_options, **options)

    def command(self, *args: Any, **options: Any) -> Callable[[Any], Any]:
        """Registers a command, as :meth:`typer.Typer.command` does."""
        return super().command(*args, **{"cls": _Command, **options})

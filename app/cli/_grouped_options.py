"""Options of a command as the fields of a class, for commands with many of them.

Typer reads options from the signature of a function. A command with dozens of options would
consist of its signature, and would hand them on one by one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")
Result = TypeVar("Result")


def grouped(
    options: type[Options],
) -> Callable[[Callable[[Options], Result]], Callable[..., Result]]:
    """Makes a function of one argument a command with an option for each field of its class.

    Args:
        options: a dataclass; the types of its fields are as those of a command's parameters.
    """

    def decorate(command: Callable[[Options], Result]) -> Callable[..., Result]:
        @functools.wraps(command)
        def with_fields(**values: Any) -> Result:
            return command(options(**values))

        hints = get_type_hints(options, include_extras=True)
        parameters = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(options)  # pyright: ignore[reportArgumentType]
        ]
        result = get_type_hints(command)["return"]
        made: Any = with_fields
        made.__signature__ = inspect.Signature(parameters, return_annotation=result)
        made.__annotations__ = {**hints, "return": result}
        return made

    return decorate

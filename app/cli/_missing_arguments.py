"""Says which positional argument is missing. Click names the first one that it left empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

_EXAMPLES = {
    "PIPELINE": "world",
    "A": "world default-live",
    "INPUT": "in.wav",
    "OUTPUT": "out.wav",
    "FILE": "voice.pth",
    "FILE...": "voice.pth",
    "FILE.jsonl": "session.jsonl",
    "RECORDINGS...": "recordings",
    "OUT.safetensors": "voice.safetensors",
}
"""A value for each argument, by its name in the help text."""
_OF_EXPERIMENTS = {
    "FILE": "trackers",
    "DIR": "results/trackers",
    "FILE|DIR": "results/trackers",
    "A": "results/before",
    "B": "results/after",
}
"""The same for the commands of experiments."""
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
_PIPELINE_SUFFIXES = ("", ".yaml", ".yml")


def missing_argument(command: Any, ctx: Any, args: Sequence[str], error: Any) -> Exception | None:
    """A better error for a command line that lacks positional arguments.

    Arguments are taken to be given in their order, so that the last ones are missing; but where the
    first one should be a pipeline and is another file, it is the pipeline.

    Args:
        command: of click.
        ctx: its context.
        args: what was typed after its name.
        error: click's own.

    Returns:
        None if ``error`` is about something else.
    """
    found = getattr(error, "param", None)
    if type(error).__name__ != "MissingParameter" or not _is_argument(found):
        return None
    wanted = [param for param in command.params if _is_argument(param) and param.required]
    given = _given(command, ctx, args, wanted)
    if given is None:
        return None
    names = [str(param.metavar or param.name) for param in wanted]
    examples = _EXAMPLES
    if "experiment" in ctx.command_path.split():
        examples = {**_EXAMPLES, **_OF_EXPERIMENTS}
    if names[0] == "PIPELINE" and given and not _may_be_pipeline(given[0]):
        missing, example = ["PIPELINE"], [examples["PIPELINE"], *given]
        example += [examples.get(name, name) for name in names[len(example) :]]
        missing += names[1 + len(given) :]
    else:
        missing = names[len(given) :]
        example = [*given, *(examples.get(name, name) for name in missing)]
    if not missing:
        return None
    plural = "s" if len(missing) > 1 else ""
    listed = ", ".join(repr(name) for name in missing)
    typed = " ".join([ctx.command_path, *map(_quoted, example)])
    return _UsageError(f"Missing argument{plural} {listed}. Example: {typed}", ctx)


def _is_argument(param: Any) -> bool:
    return getattr(param, "param_type_name", None) == "argument"


def _given(command: Any, ctx: Any, args: Sequence[str], wanted: list[Any]) -> list[str] | None:
    """The positional arguments that were typed, in their order."""
    try:
        values, _, _ = command.make_parser(ctx).parse_args(args=list(args))
    except _UsageError:
        return None
    found: list[str] = []
    for param in wanted:
        value = values.get(param.name)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [one for one in value if isinstance(one, str)]
    return found


def _may_be_pipeline(text: str) -> bool:
    return Path(text).suffix.lower() in _PIPELINE_SUFFIXES and not Path(text).is_dir()


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text

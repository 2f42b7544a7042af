"""Text in the quotes of YAML, and of the shell that it is typed into."""

from __future__ import annotations

import os
import re
import shlex

import yaml

_SHELL_SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_POSIX_SPECIAL = re.compile(r'(["\\$`])')


def quoted_yaml(text: str, *, double: bool = False) -> str:
    """Text as one quoted scalar of YAML.

    Args:
        text: the value.
        double: prefer double quotes, where they need no escapes.
    """
    if not text.isprintable():
        return yaml.safe_dump(text, default_style='"', width=1_000_000).strip()
    if double and not set(text) & set('"\\'):
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def override_fix(place: str, shown: str) -> str:
    """What to type to give a value that is written in YAML.

    Args:
        place: where it is given: ``--set vars.voice`` or, inside the program, the path alone.
        shown: the value in YAML.
    """
    option, space, path = place.rpartition(" ")
    if not option.startswith("--"):
        return f"{place}={shown}"
    return f"{option}{space}{_shell_assignment(path, shown)}"


def text_override_fix(place: str, text: str) -> str:
    """As :func:`override_fix`, for a value that is text and needs quotes in YAML, too.

    Two kinds of quotes are needed: the shell's outside and YAML's inside. Windows' shells know
    double quotes only, so YAML's are single there.
    """
    return override_fix(place, quoted_yaml(text, double=os.name != "nt"))


def _shell_assignment(path: str, shown: str) -> str:
    """``path=value`` for the shell of this system."""
    if _SHELL_SAFE.fullmatch(shown) and _SHELL_SAFE.fullmatch(path):
        return f"{path}={shown}"
    whole = f"{path}={shown}"
    if os.name == "nt":
        return '"' + whole.replace('"', '\\"') + '"'
    if not set(shown) & set('"\\$`!'):
        return f'"{whole}"'
    if "'" not in shown:
        return f"{shlex.quote(path)}='{shown}'"
    if "!" in shown:  # double quotes would leave it to the shell's history
        return f"{shlex.quote(path)}={shlex.quote(shown)}"
    escaped = _POSIX_SPECIAL.sub(lambda found: "\\" + found[0], whole)
    return f'"{escaped}"'

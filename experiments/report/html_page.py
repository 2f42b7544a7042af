"""The HTML file: template, style, scripts and data in one, under a strict content policy.

Everything that comes from files, devices and people (names of clips, cells and nodes, messages of
errors) is text: the template engine escapes it, the data block escapes what could end it, and the
policy allows exactly the scripts and styles that are in the package, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from voicegraph.graph.terminal_text import printable_lines

SWITCHING = (__package__ or "", "sound_switch.js")
"""The script that plays sounds and switches between them at one position."""
BASE = (__package__ or "", "base.css")
"""Colours and type of all pages."""


def html_page(
    template: tuple[str, str],
    styles: Sequence[tuple[str, str]],
    scripts: Sequence[tuple[str, str]],
    context: Mapping[str, Any],
    data: Mapping[str, Any],
) -> str:
    """The page as text.

    Args:
        template: package and file in its ``page/`` folder.
        styles: the same of style sheets.
        scripts: the same of scripts; they run as one.
        context: what the template shows, beside ``style``, ``script``, ``media`` and ``csp``.
        data: what the scripts read, as JSON.
    """
    style = "\n".join(_read(*place) for place in styles)
    script = "\n".join(_read(*place) for place in scripts)
    environment = Environment(
        loader=FunctionLoader(lambda file: _read(template[0], file)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_visible,
    )
    environment.filters["code"] = _code
    return environment.get_template(template[1]).render(
        context,
        style=Markup(style),
        script=Markup(script),
        media=Markup(json_block(data)),
        csp=content_policy(style, script),
    )


def json_block(data: Mapping[str, Any]) -> str:
    """JSON that may stand in a ``script`` element: it cannot end the element nor open a comment."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def content_policy(style: str, script: str) -> str:
    """What the page may do: its own style and script, and pictures that stand in it."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _visible(value: object) -> object:
    """Control characters, and those that reorder text, as escapes; markup of ours as it is."""
    return printable_lines(value) if type(value) is str else value


def _code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = [escape(printable_lines(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:  # a backtick of its own
        return Markup("`").join(parts)
    marked = [Markup("<code>{}</code>").format(p) if at % 2 else p for at, p in enumerate(parts)]
    return Markup("").join(marked)


@cache
def _read(package: str, name: str) -> str:
    return files(package).joinpath("page", name).read_text(encoding="utf-8")

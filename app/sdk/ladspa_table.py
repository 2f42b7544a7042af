"""The table of LADSPA plug-ins, C source that ``ladspa/voicegraph_ladspa.c`` is compiled with.

Plug-in hosts read names and ranges of ports while they scan, which must not start Python, so the
table has all of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

_FIRST_ID, _IDS = 1000, 0x1000000
"""LADSPA's identifiers are below 2**24; those below 1000 are for development."""
_TABLE_HEAD = """\
/* Plug-ins of voicegraph_ladspa.c; written by `voicegraph sdk build`. */

"""


@dataclass(frozen=True, slots=True)
class ControlPort:
    """A live param as a LADSPA control port.

    Attributes:
        param: ``node.param``.
        name: of the port.
        hints: names of LADSPA's hints, joined by ``|``.
        low: lower bound; 0 where there is none.
        high: upper bound; 0 where there is none.
        offset: added to the port's value: LADSPA has few possible defaults, so a param with
            another one is controlled as a difference from it.
    """

    param: str
    name: str
    hints: str
    low: float
    high: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Plugin:
    """A pipeline as a LADSPA plug-in.

    Attributes:
        label: the name by which hosts load it.
        name: what people read.
        pipeline: a shipped pipeline's name, or an absolute path.
        overrides: ``path=value``, in force whenever the plug-in is loaded.
        channels: of input and output.
        ports: the control ports.
    """

    label: str
    name: str
    pipeline: str
    overrides: tuple[str, ...]
    channels: tuple[int, int]
    ports: tuple[ControlPort, ...]

    @property
    def identifier(self) -> int:
        """LADSPA's unique number, from the label."""
        return _FIRST_ID + zlib.crc32(self.label.encode()) % (_IDS - _FIRST_ID)


def plugin_table(plugins: Sequence[Plugin]) -> str:
    """C source of ``pipelines.h``, the table of plug-ins."""
    parts = [_TABLE_HEAD]
    for i, plugin in enumerate(plugins):
        parts += [_params(i, plugin), _overrides(i, plugin)]
    rows = "".join(_row(i, plugin) for i, plugin in enumerate(plugins))
    return "".join([*parts, f"static const plugin_t PLUGINS[] = {{\n{rows}}};\n"])


def _params(i: int, plugin: Plugin) -> str:
    rows = [
        f"  {{{c_text(port.param)}, {c_text(port.name)}, {port.hints}, "
        f"{_number(port.low)}, {_number(port.high)}, {_number(port.offset)}}},\n"
        for port in plugin.ports
    ]
    rows = rows or ["  {0, 0, 0, 0, 0, 0},\n"]  # an empty array is no C
    return f"static const param_t PARAMS_{i}[] = {{\n{''.join(rows)}}};\n"


def _overrides(i: int, plugin: Plugin) -> str:
    words = ", ".join(c_text(word) for word in plugin.overrides) or "0"
    return f"static const char *const OVERRIDES_{i}[] = {{{words}}};\n\n"


def _row(i: int, plugin: Plugin) -> str:
    first = [f"{plugin.identifier}ul", c_text(plugin.label), c_text(plugin.name)]
    cells = [
        *first,
        c_text("voicegraph"),
        c_text("MIT; models have licences of their own"),
        c_text(plugin.pipeline),
        f"OVERRIDES_{i}",
        str(len(plugin.overrides)),
        *(str(count) for count in plugin.channels),
        f"PARAMS_{i}",
        str(len(plugin.ports)),
    ]
    return f"  {{{', '.join(cells)}}},\n"


def _number(value: float) -> str:
    return f"{float(value)!r}f"


def c_text(text: str) -> str:
    """A C string literal with the text in UTF-8."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')  # a ? could be part of a trigraph
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'

"""Conditions of acceptance, such as ``snr>=30dB`` or ``content.cosine>=.99``.

A condition without a port is about the output. It has to hold in every file.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from voicegraph.schemas.comparison_report import LimitReport

from ..errors import Mark, PipelineError, Problem
from .measures import MEASURES, Measure

OPTION = "--within"
_PATTERN = re.compile(
    r"\s*(?P<name>[^\s<>=≤≥]+)\s*(?P<sign>[<>=≤≥]+)\s*"
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>[A-Za-z%]*)\s*"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "≥": operator.ge, "≤": operator.le,
}  # fmt: skip
_PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Limit:
    """One condition.

    Attributes:
        text: as it was written.
        port: as it was written; empty for the output.
        measure: what is limited.
        sign: how.
        bound: in the measure's unit.
    """

    text: str
    port: str
    measure: Measure
    sign: str
    bound: float

    def holds(self, value: float) -> bool:
        """Whether a value, which may be infinite, satisfies it."""
        return _SIGNS[self.sign](abs(value) if self.measure.magnitude else value, self.bound)


def parse_limits(texts: Sequence[str], measures: Mapping[str, Measure] = MEASURES) -> list[Limit]:
    """Parses conditions ``[PORT.]MEASURE SIGN NUMBER[UNIT]``.

    Args:
        texts: as typed.
        measures: what may be limited, by name; the first one is the example of messages.

    Raises:
        PipelineError: with every mistake, and what was probably meant.
    """
    found = [_parse(text, measures) for text in texts]
    if problems := [each for each in found if isinstance(each, Problem)]:
        raise PipelineError(problems)
    return [each for each in found if isinstance(each, Limit)]


def _parse(text: str, measures: Mapping[str, Measure]) -> Limit | Problem:
    match = _PATTERN.fullmatch(text)
    if match is None:
        return _problem(text, *_misread(text, measures))
    port, _, name = match["name"].rpartition(".")
    measure = measures.get(name)
    if measure is None:
        return _unknown(match, port, name, measures)
    if match["sign"] not in _SIGNS:
        said = f"expected >=, <=, > or < after {match['name']}, found {match['sign']}"
        return _problem(text, said, _fixed(match, measure), match.start("sign"))
    if (match["sign"][0] in ">≥") != (measure.better == "high"):
        near = "large" if measure.better == "high" else "small"
        said = f"{name} is good if it is {near}, so {text!r} asks for the opposite"
        return _problem(text, said, _fixed(match, measure), match.start("sign"))
    if (wrong := _wrong_unit(match, measure)) is not None:
        return wrong
    if port and not measure.kinds:
        said = f"{name} is not about a port"
        return _problem(text, said, f"{OPTION} '{text[match.start('name') + len(port) + 1 :]}'", 0)
    bound = float(match["number"]) / (100 if match["unit"] == _PERCENT else 1)
    return Limit(text.strip(), port, measure, match["sign"], bound)


def _wrong_unit(match: re.Match[str], measure: Measure) -> Problem | None:
    unit = match["unit"]
    allowed = (_PERCENT,) if measure.share and measure.name not in ("max", "rms") else ()
    if not unit or unit.lower() == measure.unit.lower() or unit in allowed:
        return None
    wanted = measure.unit or ("a number or %" if allowed else "a number without a unit")
    said = f"expected {measure.name} in {wanted}, found the unit {unit}"
    fix = f"{match.string[: match.start('unit')].strip()}{measure.unit}"
    return _problem(match.string, said, f"{OPTION} '{fix}'", match.start("unit"))


def _usual(measures: Mapping[str, Measure]) -> Measure:
    return measures.get("snr") or next(iter(measures.values()))


def _misread(text: str, measures: Mapping[str, Measure]) -> tuple[str, str, int]:
    """What a text lacks that is no condition at all: message, fix, place."""
    name = re.match(r"\s*([^\s<>=≤≥]*)\s*", text)
    assert name is not None
    port, dot, measure = name[1].rpartition(".")
    meant = measures.get(measure) or _usual(measures)
    lead = port + dot if meant.kinds else ""
    usual = f"{OPTION} '{lead}{meant.example}'"
    if not name[1]:
        return f"expected a measure, one of {', '.join(measures)}", usual, 0
    sign = re.match(r"[<>=≤≥]+\s*", text[name.end() :])
    if sign is None:
        return f"expected >=, <=, > or < after {name[1]}", usual, name.end()
    place = name.end() + sign.end()
    rest = text[place:].strip()
    said = f"expected a number after {name[1]}{sign[0].strip()}, found {rest or 'nothing'}"
    return said, usual, place


def _unknown(
    match: re.Match[str], port: str, name: str, measures: Mapping[str, Measure]
) -> Problem:
    text, usual = match.string, _usual(measures)
    said = f"there is no measure {name}; there are: {', '.join(measures)}"
    lead = f"{port}." if port else ""
    close = difflib.get_close_matches(name.lower(), measures, 1, 0.6)
    fixes = []
    if close:
        meant = f"{lead}{close[0]}{text[match.end('name') :].strip()}"
        better = _parse(meant, measures)  # the rest may be wrong, too
        fixes.append((better.fix or "") if isinstance(better, Problem) else f"{OPTION} '{meant}'")
    if not port and usual.kinds:
        fixes.append(f"{OPTION} '{name}.{usual.example}', if {name} is a port")
    fix = "\nor, ".join(fixes) or f"{OPTION} '{lead if usual.kinds else ''}{usual.example}'"
    return _problem(text, said, fix, match.start("name") + len(lead))


def _fixed(match: re.Match[str], measure: Measure) -> str:
    sign = ">=" if measure.better == "high" else "<="
    return f"{OPTION} '{match['name']}{sign}{match['number']}{match['unit']}'"


def _problem(text: str, said: str, fix: str, place: int) -> Problem:
    mark = Mark(f"{OPTION} {text!r}, character {place + 1}")
    return Problem("wrong-limit", said, mark, fix=fix)


def check_ports(limits: Sequence[Limit], kinds: dict[str, str], why_not: dict[str, str]) -> None:
    """Checks that every condition is about a port that is compared, and that has the measure.

    Args:
        limits: the conditions.
        kinds: port -> kind of its signal, of all that are compared.
        why_not: port -> why it is not compared.

    Raises:
        PipelineError: with every mistake.
    """
    found = [_misplaced(limit, kinds, why_not) for limit in limits if limit.measure.kinds]
    if problems := [problem for problem in found if problem is not None]:
        raise PipelineError(problems)


def resolve_port(limit: Limit, ports: Sequence[str]) -> str | None:
    """The compared port that a condition means; a node alone means its first compared one."""
    wanted = limit.port or "output"
    if wanted in ports:
        return wanted
    return next((port for port in ports if port.startswith(f"{wanted}.")), None)


def _misplaced(limit: Limit, kinds: dict[str, str], why_not: dict[str, str]) -> Problem | None:
    port = resolve_port(limit, list(kinds))
    text = limit.text
    if port is None:
        missing = resolve_port(limit, list(why_not))
        close = difflib.get_close_matches(limit.port, kinds, 1, 0.4) or ["output"]
        said = (
            f"{missing} is not compared: {why_not[missing]}"
            if missing
            else f"there is no port {limit.port}; compared are: {', '.join(kinds)}"
        )
        rest = text[len(limit.port) + 1 :]
        return _problem(text, said, f"{OPTION} '{close[0]}.{rest}'", 0)
    if kinds[port] in limit.measure.kinds:
        return None
    fit = [name for name, found in kinds.items() if found in limit.measure.kinds]
    those = [m for m in MEASURES.values() if kinds[port] in m.kinds]
    said = (
        f"{port} is {kinds[port]}, which has no measure {limit.measure.name}; "
        f"it has: {', '.join(m.name for m in those)}"
    )
    rest = text[len(limit.port) + 1 :] if limit.port else text
    fix = f"{OPTION} '{fit[0]}.{rest}'" if fit else f"{OPTION} '{port}.{those[0].example}'"
    return _problem(text, said, fix, 0)


Found = Mapping[str, tuple[Mapping[str, float], Mapping[str, str]]]
"""Port -> values by field of ``DifferenceReport``, infinite ones too, and why some are missing."""


def judge(
    limits: Sequence[Limit], files: Mapping[str, Found], cpu_ratio: float | None
) -> list[LimitReport]:
    """Judges every condition by the file in which it is worst."""
    return [
        _judge_port(limit, files) if limit.measure.kinds else _judge_cost(limit, cpu_ratio)
        for limit in limits
    ]


def _judge_cost(limit: Limit, found: float | None) -> LimitReport:
    why = "this system's clock shows no CPU time" if found is None else None
    ok = None if found is None else limit.holds(found)
    return LimitReport(limit=limit.text, port=None, found=found, file=None, ok=ok, why=why)


def _judge_port(limit: Limit, files: Mapping[str, Found]) -> LimitReport:
    measure = limit.measure
    port = resolve_port(limit, list(next(iter(files.values()))))
    assert port is not None  # check_ports has seen to it
    worst, where, why = math.nan, None, None
    for file, ports in files.items():
        values, reasons = ports[port]
        value, reason = values.get(measure.field, math.nan), reasons.get(measure.name)
        if math.isnan(value):
            return LimitReport(
                limit=limit.text, port=port, found=None, file=file, ok=None, why=reason
            )
        if where is None or _is_worse(measure, value, worst):
            worst, where, why = value, file, reason
    found = worst if math.isfinite(worst) else None
    ok = limit.holds(worst)
    return LimitReport(limit=limit.text, port=port, found=found, file=where, ok=ok, why=why)


def _is_worse(measure: Measure, value: float, worst: float) -> bool:
    if measure.magnitude:
        return abs(value) > abs(worst)
    return value < worst if measure.better == "high" else value > worst

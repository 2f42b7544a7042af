"""LADSPA plug-ins from pipelines: one for each, with its live params as control ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.live.status import planned_live_params
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.signals import Audio
from voicegraph.schemas.live_status import LiveParam

from .ladspa_table import ControlPort, Plugin

MAX_CHANNELS = 8
"""``voicegraph_ladspa.c`` has names for so many ports."""


def plugins_of(pipelines: Sequence[str], set_args: Sequence[str] = ()) -> list[Plugin]:
    """Describes pipelines as plug-ins.

    Args:
        pipelines: names or files.
        set_args: overrides for all of them, ``path=value``.

    Raises:
        PipelineError: if a pipeline has mistakes, does not give audio, has too many channels, or
            two would have the same label.
    """
    found: dict[str, Plugin] = {}
    for source in pipelines:
        plugin = _plugin(source, tuple(set_args))
        if plugin.label in found:
            other = found[plugin.label].pipeline
            text = f"{other} and {plugin.pipeline} would both be the plug-in {plugin.label}"
            raise PipelineError(Problem("same-label", text, fix="rename one of the files"))
        found[plugin.label] = plugin
    return list(found.values())


def _plugin(source: str, set_args: tuple[str, ...]) -> Plugin:
    plan = Pipeline.load(source, set_args=set_args).compile()
    made = plan.output_type
    if not isinstance(made, Audio):
        text = f"the output of {plan.name} is {made}, and a plug-in gives audio"
        raise PipelineError(Problem("output-not-audio", text, fix="name an audio output"))
    channels = (plan.source.channels, made.channels)
    if max(channels) > MAX_CHANNELS:
        text = f"{plan.name} has {max(channels)} channels; expected {MAX_CHANNELS} or fewer"
        raise PipelineError(Problem("too-many-channels", text))
    path = Path(source)
    label = re.sub(r"\W", "_", path.stem if path.suffix else source, flags=re.ASCII)
    return Plugin(
        label=label,
        name=f"voicegraph: {plan.name}",
        pipeline=str(path.resolve()) if path.is_file() else source,
        overrides=set_args,
        channels=channels,
        ports=tuple(_control_ports(plan)),
    )


# ---- control ports ---------------------------------------------------------------------------


def _control_ports(plan: Plan) -> Iterable[ControlPort]:
    for param in planned_live_params(plan):
        if isinstance(param.value, (bool, int, float)):  # LADSPA has numbers only
            yield control_port(param)


def control_port(param: LiveParam) -> ControlPort:
    """The port of a param that is a number or true or false."""
    if isinstance(param.value, bool):
        default = "LADSPA_HINT_DEFAULT_1" if param.value else "LADSPA_HINT_DEFAULT_0"
        return ControlPort(param.name, param.name, f"LADSPA_HINT_TOGGLED | {default}", 0, 1)
    low, high, value = param.minimum, param.maximum, float(param.value)
    default, offset = _default(value, low, high), 0.0
    if default is None:
        default, offset = "LADSPA_HINT_DEFAULT_0", value
    hints = [
        *(["LADSPA_HINT_BOUNDED_BELOW"] if low is not None else []),
        *(["LADSPA_HINT_BOUNDED_ABOVE"] if high is not None else []),
        default,
    ]
    return ControlPort(
        param=param.name,
        name=f"{param.name} (added to {value:g})" if offset else param.name,
        hints=" | ".join(hints),
        low=0.0 if low is None else low - offset,
        high=0.0 if high is None else high - offset,
        offset=offset,
    )


def _default(value: float, low: float | None, high: float | None) -> str | None:
    """The hint whose value is exactly the param's; None if LADSPA has none."""
    for number in (0, 1, 100, 440):
        if value == number:
            return f"LADSPA_HINT_DEFAULT_{number}"
    if value == low:
        return "LADSPA_HINT_DEFAULT_MINIMUM"
    if value == high:
        return "LADSPA_HINT_DEFAULT_MAXIMUM"
    if low is not None and high is not None:
        parts = {"LOW": 0.25, "MIDDLE": 0.5, "HIGH": 0.75}
        for name, part in parts.items():
            if value == low * (1 - part) + high * part:
                return f"LADSPA_HINT_DEFAULT_{name}"
    return None

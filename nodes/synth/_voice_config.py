"""The config of a voice: read in every form that trainers write, and corrected by the tensors.

Sizes that tensors show are taken from them. The config decides only what no tensor shows: the
upsampling rates and the dilations. The sample rate follows from the rates, since a frame is 10 ms.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from voicegraph.graph.files.models import printable
from voicegraph.graph.files.models.identify import first_validation_error
from voicegraph.schemas.voice_card import FRAMES_HZ, VoiceConfig, parse_rate

from ._voice_shapes import Shapes, config_of_shapes, source_strides

_NAMES = tuple(VoiceConfig.model_fields)
_UNUSED = ("spec_channels", "segment_size", "p_dropout")
"""Entries that only training uses: whatever they are, the voice sounds the same."""
_REQUIRED = ("upsample_rates", "resblock_dilation_sizes")
"""Entries that no tensor shows."""
_ALIASES = {
    "sample_rate": ("sampling_rate", "sr", "samplerate", "sample_rate"),
    "spk_embed_dim": ("n_speakers", "num_speakers", "spk_embed_dim"),
}
_WITH_WIDTH = len(_NAMES) + 1
"""Entries in ddPn08's form: the width of the content stands before the sample rate."""


class ConfigError(Exception):
    """A config that cannot be used; the text continues ``FILE: an RVC voice, but``."""


def read_config(
    stated: object, shapes: Shapes, rate: object = None
) -> tuple[VoiceConfig, list[str]]:
    """The config of a voice, and what it states and the tensors contradict.

    Args:
        stated: a list of 18 entries in RVC's order, or 19 in ddPn08's; or a dict by their names,
            flat or in sections as in RVC's JSON files.
        shapes: of the voice's tensors, weight norms folded, by name in the state dict.
        rate: the sample rate that stands beside the config, if there is one.

    Raises:
        ConfigError: if it cannot be read, or lacks what no tensor shows.
    """
    entries = _entries(stated)
    shown = config_of_shapes(shapes)
    remarks = _contradictions(entries, shown)
    merged: dict[str, Any] = {**entries, **shown}
    for name in _UNUSED:
        if name not in merged or _parsed(name, merged[name]) is None:
            merged[name] = 0 if name != "spec_channels" else 1
    missing = [name for name in _REQUIRED if name not in merged]
    if missing:
        raise ConfigError(
            f"its config lacks {' and '.join(missing)}, which cannot be derived from its tensors"
        )
    merged["upsample_rates"] = _rates(merged["upsample_rates"], shapes, remarks)
    merged["sample_rate"] = _sample_rate(entries.get("sample_rate"), rate, merged, remarks)
    try:
        return VoiceConfig.model_validate(merged), remarks
    except ValidationError as error:
        raise ConfigError(f"its config is not valid: {first_validation_error(error)}") from None


def _entries(stated: object) -> dict[str, Any]:
    """The entries by name, as stored."""
    if isinstance(stated, list):
        if len(stated) == _WITH_WIDTH:
            stated = [*stated[:-2], stated[-1]]
        if len(stated) != len(_NAMES):
            raise ConfigError(
                f"its config has {len(stated)} entries; RVC writes {len(_NAMES)}, and ddPn08's "
                f"version {_WITH_WIDTH}"
            )
        return dict(zip(_NAMES, stated, strict=True))
    if isinstance(stated, dict):
        return _by_name(stated)
    raise ConfigError(f"its config is {_shown(stated)}, neither a list nor a table")


def _by_name(table: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a table, which may have the sections ``train``, ``data`` and ``model``."""
    flat = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for section in ("train", "data", "model"):
        inner = table.get(section)
        flat |= inner if isinstance(inner, dict) else {}
    found = {name: flat[name] for name in _NAMES if flat.get(name) is not None}
    for name, aliases in _ALIASES.items():
        values = [flat[alias] for alias in aliases if flat.get(alias) is not None]
        if values:
            found[name] = values[0]
    if not found:
        raise ConfigError("its config is a table without any of the entries of a voice")
    return found


def _contradictions(entries: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    differing = {
        name: entries[name]
        for name in shown
        if name in entries and _parsed(name, entries[name]) != _parsed(name, shown[name])
    }
    if not differing:
        return []
    stated = ", ".join(f"{name} {_shown(value)}" for name, value in differing.items())
    tensors = ", ".join(_shown(shown[name]) for name in differing)
    return [f"its config states {stated}; its tensors show {tensors}"]


def _rates(stated: object, shapes: Shapes, remarks: list[str]) -> object:
    """The upsampling rates; those behind the first stage as the source's convolutions show them."""
    strides = source_strides(shapes)
    rates = _parsed("upsample_rates", stated)
    if strides is None or rates is None or len(rates) != len(strides):
        return stated
    shown = [strides[i - 1] / strides[i] for i in range(1, len(strides))]
    if list(rates[1:]) == shown or not all(rate.is_integer() for rate in shown):
        return rates
    found = (rates[0], *(int(rate) for rate in shown))
    remarks.append(
        f"its config states upsample_rates {_shown(list(rates))}; its tensors show "
        f"{_shown(list(found))}"
    )
    return found


def _sample_rate(
    stated: object, beside: object, merged: Mapping[str, Any], remarks: list[str]
) -> int:
    """The sample rate that the upsampling gives, with a remark for each other one."""
    rates = _parsed("upsample_rates", merged["upsample_rates"])
    if rates is None:
        number = parse_rate(stated)  # the rates are reported when the config is validated
        return number if isinstance(number, int) else 0
    samples = math.prod(rates)
    found = samples * FRAMES_HZ
    for what, value in (("config states", stated), ("sr is", beside)):
        if value is None or _as_rate(value) == found:
            continue
        remarks.append(
            f"its {what} {_shown(value)}{' Hz' if isinstance(value, (int, float)) else ''}, but "
            f"its upsampling makes {samples} samples for each frame of 10 ms: {found} Hz"
        )
    return found


def _as_rate(value: object) -> object:
    """A sample rate in Hz; 48 and 44.1 are meant in kHz."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and 0 < value < 1000:
        return round(value * 1000)
    return parse_rate(value)


def _parsed(name: str, value: object) -> Any:
    """An entry in its type; None if it does not fit."""
    try:
        return _adapters()[name].validate_python(value)
    except ValidationError:
        return None


def _shown(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + " ".join(map(_shown, value[:16])) + "]"
    return printable(str(value))[:40]


@functools.cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    """Parsers of the entries, by name, each with its bounds."""
    typed: Any = Annotated
    return {
        name: TypeAdapter(typed[field.annotation, *field.metadata, None])
        for name, field in VoiceConfig.model_fields.items()
    }

"""``rvc_config_t``: checked, and as overrides of the pipeline ``rvc``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import PipelineError, Problem, Problems
from voicegraph.graph.loading.library_files import model_path, named_models
from voicegraph.graph.loading.source_map import SourceMap

DEVICES = ("cpu", "cuda")
"""By number of ``rvc_device_t``."""
F0_METHODS = ("f0.dio", "f0.rmvpe", "f0.harvest", "f0.swift", "f0.fcpe", "f0.crepe", "f0.praat")
"""Nodes by number of ``rvc_f0_method_t``."""
PROTECT = 0.33
"""RVC's own default: the share of retrieval in voiceless frames."""
_STEPS = 100
"""A second in steps of 10 ms, to which RVC rounds times."""
_RMVPE_FILES = tuple(f"rmvpe.{ending}" for ending in ("pt", "safetensors", "onnx", "ts", "pt2"))


@dataclass(frozen=True, slots=True)
class RvcConfig:
    """The members of ``rvc_config_t``, in their order."""

    device: int
    sample_rate: int
    channels: int
    block_time_sec: float
    crossfade_sec: float
    extra_sec: float
    enable_index: int
    index_rate: float
    protect: int
    f0_method: int

    def check(self) -> None:
        """Checks every member.

        Raises:
            PipelineError: with every mistake found.
        """
        problems = Problems(PipelineError)
        for name, allowed, holds in _RULES:
            value = getattr(self, name)
            if not holds(value):
                text = f"rvc_config_t.{name} is {_shown(value)}; it is {allowed}"
                problems.add("rvc-config", text)
        problems.raise_if_any()
        if self.block_frames % 1:
            step = Fraction(self.sample_rate, _STEPS)
            text = (
                f"a block of {_steps(self.block_time_sec) * 10} ms is no whole number of frames "
                f"at {self.sample_rate} Hz (10 ms are {float(step):g} frames)"
            )
            problems.add("rvc-config", text, fix="choose another block_time_sec or sample_rate")
        problems.raise_if_any()

    @property
    def block_frames(self) -> Fraction:
        """Frames of a block: a whole number if the config is right."""
        return Fraction(_steps(self.block_time_sec) * self.sample_rate, _STEPS)

    def overrides(self, hubert: str, synthesizer: str, index: str | None) -> dict[str, Any]:
        """The config and the model files as overrides of the pipeline ``rvc``.

        Args:
            hubert: a file, or a name in the library of voices; empty takes the encoder of the
                voice's card.
            synthesizer: a file, or a name in the library.
            index: a file, or the name of the voice whose index it is; None leaves retrieval out.

        Raises:
            PipelineError: if RMVPE is wanted, and its file is neither beside the encoder nor beside
                the voice; or if a name is that of a file and of a voice.
            InputError: if a card of the library cannot be read.
        """
        encoder = _model_file("assets.hubert", hubert) if hubert else None
        voice = _model_file("vars.voice", synthesizer)
        found: dict[str, Any] = {
            "block": _duration(self.block_time_sec),
            "input.rate": self.sample_rate,
            "vars.crossfade": _duration(self.crossfade_sec),
            "vars.extra": _duration(self.extra_sec),
            "vars.device": DEVICES[self.device],
            "vars.voice": synthesizer,
            "vars.index": None,
            "nodes.f0.use": F0_METHODS[self.f0_method],
        }
        if F0_METHODS[self.f0_method] == "f0.rmvpe":
            rmvpe = _rmvpe_beside(encoder or voice, voice)
            found["assets.rmvpe"] = str(rmvpe)
            if _is_onnx(rmvpe):
                found["nodes.f0.use"] = "f0.onnx"
        if encoder is not None:
            found["assets.hubert"] = hubert
            if _is_onnx(encoder):
                found["nodes.content.use"] = "content.onnx"
        if _is_onnx(voice):
            found["nodes.voice.use"] = "synth.onnx"
        if self.enable_index and index is not None:
            found["vars.index"] = index
            found["vars.index_rate"] = _decimal(self.index_rate)
            if self.protect:
                found |= _PROTECTION
        return found


_PROTECTION = {
    "nodes.protect": {
        "use": "retrieval.protect",
        "in": {"content": "retrieval", "original": "content", "voiced": "pitch.voiced"},
        "params": {"protect": PROTECT},
    },
    "nodes.voice.in.content": "protect",
}

_Rule = tuple[str, str, Callable[[Any], bool]]
_RULES: tuple[_Rule, ...] = (
    ("device", "0 (CPU) or 1 (CUDA)", lambda v: v in range(len(DEVICES))),
    ("sample_rate", "a rate in Hz from 8000 to 384000", lambda v: 8000 <= v <= 384_000),
    ("channels", "1, or 2 for the same in both", lambda v: v in (1, 2)),
    ("block_time_sec", "0.01 to 10 seconds", lambda v: _is_within(v, 1, 10)),
    ("crossfade_sec", "0.01 to 10 seconds", lambda v: _is_within(v, 1, 10)),
    ("extra_sec", "0 to 60 seconds", lambda v: _is_within(v, 0, 60)),
    ("enable_index", "0 or 1", lambda v: v in (0, 1)),
    ("index_rate", "0 to 1", lambda v: 0 <= v <= 1),
    ("protect", "0 (off) or 1 (on)", lambda v: v in (0, 1)),
    ("f0_method", f"0 to {len(F0_METHODS) - 1}", lambda v: v in range(len(F0_METHODS))),
)


def _is_within(seconds: float, least_steps: int, most: float) -> bool:
    return math.isfinite(seconds) and least_steps <= _steps(seconds) <= most * _STEPS


def _decimal(value: float) -> float:
    """The decimal number that a programmer wrote into a 32-bit float: .3 for .30000001192."""
    return float(f"{value:.7g}")


def _steps(seconds: float) -> int:
    """Steps of 10 ms; a half is rounded to the even number, as RVC's ``numpy.round`` does."""
    return round(_decimal(seconds) * _STEPS)


def _duration(seconds: float) -> str:
    return f"{_steps(seconds) * 10}ms"


def _shown(value: float) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _is_onnx(file: Path) -> bool:
    return file.suffix.lower() == ".onnx"


def _model_file(path: str, text: str) -> Path:
    """The file that a text names: by its path, or by a name in the library of voices."""
    return model_path(SourceMap("rvc_load_models()"), tuple(path.split(".")), text)


def _rmvpe_beside(encoder: Path, voice: Path) -> Path:
    """RMVPE's file beside the encoder or the voice, or the only pitch model of the library."""
    folders = list(dict.fromkeys((encoder.parent, voice.parent)))
    for folder in folders:
        for name in _RMVPE_FILES:
            if (folder / name).is_file():
                return folder / name
    if len(known := named_models("rmvpe")) == 1:
        return _model_file("assets.rmvpe", known[0])
    where = " and ".join(str(folder.absolute()) for folder in folders)
    text = f"RVC_F0_RMVPE needs {_RMVPE_FILES[0]} beside the encoder or the voice, and {where} "
    text += "have none" if len(folders) > 1 else "has none"
    fix = "put it there, or choose another f0_method"
    raise PipelineError(Problem("no-rmvpe", text, fix=fix))

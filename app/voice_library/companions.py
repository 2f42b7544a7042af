"""What lies beside a voice: its picture, its licence, and what other programs say of it.

w-okada's voice-changer keeps a ``params.json`` beside each voice, with its name, terms of use,
picture and settings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.voice_library import VoiceSettings

from .picture import ENDINGS

_LICENCES = ("license", "licence", "copying", "terms", "terms_of_use", "termsofuse", "利用規約")
_PICTURES = ("icon", "cover", "picture", "avatar", "image", "thumbnail")
_LONGEST_TEXT = 20_000
_LONGEST_JSON = 1 << 18
_SETTINGS = {
    "defaultTune": "transpose",
    "defaultIndexRatio": "index_rate",
    "defaultProtect": "protect",
    "defaultFormantShift": "formant",
}
"""Keys of w-okada's ``params.json``, and ours."""


@dataclass(frozen=True, slots=True)
class Companions:
    """What lies beside a voice.

    Attributes:
        picture: a file that looks like its picture; None without one.
        licence: text of its licence; empty without one.
        title: its name, if a program has noted one.
        description: likewise.
        author: likewise.
        settings: likewise.
        remarks: what was left out, and why.
    """

    picture: Path | None = None
    licence: str = ""
    title: str = ""
    description: str = ""
    author: str = ""
    settings: VoiceSettings = field(default_factory=VoiceSettings)
    remarks: tuple[str, ...] = ()


def is_companion(name: str) -> bool:
    """Whether a file may be one that lies beside a voice, by its name."""
    path = Path(name.lower())
    return path.suffix in ENDINGS or path.name == "params.json" or (_is_licence(path) is not None)


def read_companions(files: Iterable[Path], stems: Iterable[str] = ()) -> Companions:
    """What the files beside a voice say of it.

    Args:
        files: beside it.
        stems: names without ending that a picture may have, such as that of the voice.
    """
    listed = sorted(files)
    noted: Mapping[str, Any] = {}
    for path in listed:
        if path.name.lower() == "params.json":
            noted = _json(path)
    text = "\n\n".join(filter(None, (_text(path) for path in listed if _is_licence(path))))
    terms = _line(noted.get("termsOfUseUrl"), 500)
    settings, remarks = _settings(noted)
    return Companions(
        picture=_picture(listed, _line(noted.get("iconFile"), 200), tuple(stems)),
        licence="\n\n".join(filter(None, (text, terms)))[:_LONGEST_TEXT],
        title=_line(noted.get("name"), 200),
        description=_line(noted.get("description"), 2000),
        author=_line(noted.get("credit"), 200),
        settings=settings,
        remarks=tuple(remarks),
    )


def _is_licence(path: Path) -> str | None:
    stem = path.stem.lower().replace("-", "_").replace(" ", "_")
    known = path.suffix.lower() in ("", ".txt", ".md")
    return stem if known and any(stem.startswith(word) for word in _LICENCES) else None


def _picture(files: list[Path], named: str, stems: tuple[str, ...]) -> Path | None:
    """The picture that is named, or called as pictures are, or the only one, or the first."""
    pictures = [path for path in files if path.suffix.lower() in ENDINGS]
    wanted = [Path(named).name.lower()] if named else []
    for path in pictures:
        if path.name.lower() in wanted:
            return path
    words = (*(stem.lower() for stem in stems), *_PICTURES)
    for word in words:
        for path in pictures:
            if path.stem.lower() == word:
                return path
    return pictures[0] if pictures else None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LONGEST_JSON))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_TEXT)
    except OSError:
        return ""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return "\n".join(printable(line) for line in text.splitlines()).strip()


def _line(value: object, most: int) -> str:
    return printable(value.strip())[:most] if isinstance(value, str) else ""


def _settings(noted: Mapping[str, Any]) -> tuple[VoiceSettings, list[str]]:
    """The settings of ``params.json`` that are within range, and remarks on the others."""
    found: dict[str, float] = {}
    remarks: list[str] = []
    for key, name in _SETTINGS.items():
        value = noted.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        try:
            VoiceSettings.model_validate({name: value})
        except ValueError:
            remarks.append(f"its params.json has {key} {value:g}, which is out of range")
            continue
        if math.isfinite(value) and not (name in ("transpose", "formant") and value == 0):
            found[name] = value
    return VoiceSettings.model_validate(found), remarks

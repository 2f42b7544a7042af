"""The voices that come with voicegraph, with cards made of what their files say."""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.source_filter_card import SourceFilterCard
from voicegraph.schemas.voice_library import KeptFile, LibraryCard, WantedEncoder
from voicegraph.schemas.voice_register import VoiceRegister

from ...file_contents import Version, file_version, read_content

_LONGEST_HEADER = 1 << 24


def bundled_files() -> dict[str, Path]:
    """The bundled voices: name -> file."""
    folder = Path(str(files("voicegraph.pipelines"))) / "voices"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def bundled_card(path: Path) -> LibraryCard:
    """The card of a bundled voice."""
    return _card(path, file_version(path.stat()))


@lru_cache(maxsize=16)
def _card(path: Path, version: Version) -> LibraryCard:
    del version  # a part of the key: another file is read again
    stated = read_source_filter_card(path)
    content = read_content(path)
    assert content is not None  # a part of the package
    return LibraryCard(
        name=path.stem,
        title=stated.title or path.stem,
        kind="source_filter",
        description=stated.description,
        licence=stated.licence,
        source=stated.source,
        model=KeptFile(file=path.name, bytes=content.size, sha256=content.sha256, was=path.name),
        rate_hz=stated.sizes.sample_rate,
        speakers=1,
        encoder=wanted_of(stated, chosen_by="bundled"),
        pitch=register_of(stated),
    )


def wanted_of(stated: SourceFilterCard, **more: str) -> WantedEncoder:
    """The encoder that a source-filter voice takes, by its card."""
    identity = stated.trained_on
    return WantedEncoder.model_validate(
        {
            "asset": "phonetic",
            "width": stated.sizes.content,
            "fingerprint": identity.fingerprint if identity else None,
            "stated": identity.title if identity else "",
            **more,
        }
    )


def register_of(stated: SourceFilterCard) -> VoiceRegister:
    """The pitch of a source-filter voice.

    Its F0 in semitones is taken as normally distributed: 5 % of the frames are more than 1.645
    standard deviations below the median.
    """
    prosody = stated.prosody
    reach = 2.0 ** (1.645 * prosody.spread / 12.0)
    return VoiceRegister(
        median_hz=prosody.median_hz,
        low_hz=max(prosody.median_hz / reach, 20.0),
        high_hz=min(prosody.median_hz * reach, 2000.0),
        learned_from="its training material",
    )


def read_source_filter_card(path: Path) -> SourceFilterCard:
    """The card in the header of a source-filter voice, without reading a tensor.

    Raises:
        ValueError: if the file is no such voice.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > _LONGEST_HEADER:
            raise ValueError(f"{path}: no safetensors file")
        header = json.loads(file.read(length))
    return SourceFilterCard.model_validate_json(header["__metadata__"][METADATA_KEY])

"""Content encoders as origins of features: labels of outputs, and requirements of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voicegraph.graph import Origin, Wanted
from voicegraph.schemas.encoder_card import Chosen, EncoderIdentity

NOUN = "content encoder"
_DECIDE = {
    "family": "weights",
    "fingerprint": "weights",
    "layer": "layer",
    "projected": "project",
}
"""The param of ``content.hubert`` that decides each fact."""


def encoder_origin(identity: EncoderIdentity, path: Path) -> Origin:
    """The origin of the features of an encoder."""
    return _origin(identity, path, _DECIDE)


def unknown_encoder(path: Path) -> Origin:
    """The origin of the features of a file that does not say which encoder it is."""
    return Origin(NOUN, str(path))


def required_encoder(
    identity: EncoderIdentity | None,
    path: Path,
    param: str,
    any_encoder: bool,
    name: str = "",
    taken: Chosen | None = None,
) -> Wanted:
    """The requirement of a file that was trained on an encoder's features.

    Args:
        identity: of its encoder; None if the file does not state it.
        path: of the file.
        param: the param that names it.
        any_encoder: the node's param of that name.
        name: of the encoder as the trainer wrote it, which is not reliable.
        taken: layer and projection that the file uses, if it does not state the encoder.
    """
    if identity is None:
        implied = {"layer": taken.layer, "projected": taken.project} if taken else {}
        made_by = dict.fromkeys(implied, param)
        origin = Origin(NOUN, str(path), {}, made_by, name, implied)
    else:
        origin = _origin(identity, path, dict.fromkeys(identity.facts(), param))
    return Wanted(origin, "any_encoder", any_encoder)


def _origin(identity: EncoderIdentity, path: Path, params: Mapping[str, str]) -> Origin:
    return Origin(NOUN, str(path), identity.facts(), params, identity.title)

"""What the nodes that run an RVC voice have in common: params, inputs, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from voicegraph.graph import FilePath, In, Live, NodeParams, PipelineError, Problem
from voicegraph.nodes.content.encoder_provenance import required_encoder
from voicegraph.nodes.layers.onnx_file import use_instead
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.schemas.voice_card import VoiceCard


class VoiceParams(NodeParams):
    """Params of every node that runs an RVC voice."""

    checkpoint: FilePath
    """The voice: a ``.pth`` as trainers extract it, or a converted one."""
    speaker: Live[int] = Field(0, ge=0)
    """Number of the speaker in the file, from 0."""
    noise_scale: Live[float] = Field(0.66666, ge=0, le=2, allow_inf_nan=False)
    """Random variation, in units of what the voice has learned; 0 is none."""
    source_noise: Live[float] = Field(1.0, ge=0, le=2, allow_inf_nan=False)
    """Noise of the sine source, relative to that of the training; 0 is none."""
    any_encoder: bool = False
    """Accept features of any content encoder, even if the voice states that it was trained on
    another one."""


def voice_inputs(
    name: str, params: VoiceParams, declared: Mapping[str, In]
) -> tuple[VoiceCard, dict[str, In]]:
    """The card of the voice that a node names, and the node's inputs for it, from the header.

    Args:
        name: of the node.
        params: of the node.
        declared: its inputs, whatever the voice.

    Raises:
        WeightsError: if the file is not a voice, or one that cannot be used.
        PipelineError: if it does not have that speaker.
    """
    fix = f"--set nodes.{name}.params.checkpoint=VOICE.pth"
    fix = use_instead(params.checkpoint, name, "synth.onnx", fix)
    card = open_voice(params.checkpoint, fix).card
    if params.speaker >= card.speakers:
        text = f"speaker {params.speaker}: {no_speaker(params.checkpoint, card.speakers)}"
        fix = f"--set nodes.{name}.params.speaker={card.speakers - 1}"
        raise PipelineError(Problem("no-such-speaker", text, fix=fix))
    doc = f"content features; {params.checkpoint.name} is {card.version}, of width {card.dim}"
    inputs = dict(declared)
    wanted = required_encoder(
        card.trained_on,
        params.checkpoint,
        "checkpoint",
        params.any_encoder,
        card.encoder,
        card.features,
    )
    inputs["content"] = replace(inputs["content"], dim=card.dim, doc=doc, wanted=wanted)
    if not card.f0:
        del inputs["pitch"]
    return card, inputs


def no_speaker(path: Path, speakers: int) -> str:
    """The speakers that a voice has, for a message about one that it lacks."""
    has = "one speaker, 0" if speakers == 1 else f"{speakers} speakers, 0..{speakers - 1}"
    return f"{path} has {has}"

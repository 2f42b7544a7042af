"""Inputs, examples and metadata of an exported RVC voice: see ``_voice_export`` for the network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import torch
from torch import nn

from voicegraph.graph import ExportedNetwork, ExportedTensor
from voicegraph.nodes.layers.form import portable
from voicegraph.nodes.layers.network import into_form
from voicegraph.nodes.synth._source import add_noise
from voicegraph.nodes.synth._voice_export import PortableVoice, PortableVoiceWithoutPitch
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.nodes.synth.voice_file import VoiceFile
from voicegraph.nodes.synth.voice_network import Voice, build_voice
from voicegraph.schemas.export_card import MODEL_KEY
from voicegraph.schemas.voice_card import VoiceCard

_NOISE_SCALE = 0.66666
"""Of the prior's noise in w-okada's files, which draw it inside."""
_FRAMES = (60, 41, 97, 311)
"""Of the examples: the traced one, a shorter, a longer one, and a window of three seconds."""
_SKIPPED = (25, 10, 40, 200)
"""Frames before the decoded ones: fewer than reach them, and more."""
_DECODED = (20, 11, 33, 62)
_STRETCHED = (20, 0, 41, 55)
"""Frames that the decoded ones are stretched to, for a formant shift; 0 keeps them."""

Values = Mapping[str, torch.Tensor]


def voice_export(found: VoiceFile, voice: Voice) -> ExportedNetwork:
    """What a node with an RVC voice exports.

    Args:
        found: the file.
        voice: the loaded voice, in the form in which the node runs it.
    """
    card = voice.card
    module = PortableVoice if card.f0 else PortableVoiceWithoutPitch
    inputs = _inputs(card)

    def in_dtype(dtype: torch.dtype) -> nn.Module:
        return module(into_form(build_voice(found), torch.device("cpu"), portable(dtype)))

    def reference(values: Values) -> dict[str, torch.Tensor]:
        with torch.inference_mode():
            return {"audio": _by_node(voice.network, values)}

    def example(number: int) -> dict[str, torch.Tensor]:
        made = _example(number, card)
        return {name: made[name] for name in inputs}

    return ExportedNetwork(
        module=in_dtype(torch.float32),
        inputs=inputs,
        outputs={
            "audio": ExportedTensor(
                ("audio_samples",), description=f"audio at {card.rate} Hz of the decoded frames"
            )
        },
        example=example,
        reference=reference,
        metadata={
            "metadata": json.dumps(w_okada_metadata(card)),
            MODEL_KEY: card.stored(),
        },
        live={
            "speaker": "sid",
            "formant": "formant_length",
            "noise_scale": "noise_scale",
            "source_noise": "source_noise_scale" if card.f0 else None,
        },
        reduced=in_dtype,
    )


def _inputs(card: VoiceCard) -> dict[str, ExportedTensor]:
    """In w-okada's order, then deiteris', then those of the noise."""
    whole, scalar = torch.int64, torch.tensor
    pitch = {
        "pitch": ExportedTensor((1, "frames"), whole, "bins 1..255 of F0, linear in mel"),
        "pitchf": ExportedTensor((1, "frames"), description="F0 in Hz, 0 where unvoiced"),
    }
    noise = {
        "source_noise": ExportedTensor(
            (1, "source_samples"),
            description="standard normal, a value for each decoded sample before stretching",
            default=torch.zeros(1, 1),
        ),
    }
    scale = {
        "source_noise_scale": ExportedTensor(
            (), description="of source noise drawn inside; 0: none", default=scalar(1.0)
        )
    }
    return {
        "feats": ExportedTensor(
            (1, "frames", card.dim), description="content features, a frame each 10 ms"
        ),
        "p_len": ExportedTensor((1,), whole, "frames that exist; usually all"),
        **(pitch if card.f0 else {}),
        "sid": ExportedTensor((1,), whole, f"speaker, 0..{card.speakers - 1}"),
        "skip_head": ExportedTensor(
            (), whole, "frames before the first one decoded", default=scalar(0)
        ),
        "return_length": ExportedTensor(
            (), whole, "frames decoded; 0: all that follow", default=scalar(0)
        ),
        "formant_length": ExportedTensor(
            (), whole, "frames that these are stretched to; 0: as many", default=scalar(0)
        ),
        "rnd": ExportedTensor(
            (1, card.config.inter_channels, "frames"),
            description="noise of the prior, normal, scaled by 0.66666",
            default=torch.zeros(1, card.config.inter_channels, 1),
        ),
        **(noise if card.f0 else {}),
        "noise_scale": ExportedTensor(
            (),
            description="of noise of the prior drawn inside; 0: none",
            default=scalar(_NOISE_SCALE),
        ),
        **(scale if card.f0 else {}),
    }


def _example(number: int, card: VoiceCard) -> dict[str, torch.Tensor]:
    """Features and noise at random, F0 that glides, with an unvoiced stretch."""
    frames, decoded = _FRAMES[number], _DECODED[number]
    chance = torch.Generator().manual_seed(number)
    f0 = 120 * 2 ** torch.linspace(0, 1 + number, frames)[None]
    f0[:, frames // 2 : frames // 2 + frames // 8] = 0
    samples = decoded * math.prod(card.config.upsample_rates)
    noise = torch.randn(1, card.config.inter_channels, frames, generator=chance)
    return {
        "feats": torch.randn(1, frames, card.dim, generator=chance),
        "p_len": torch.tensor([frames]),
        "pitch": coarse_pitch(f0),
        "pitchf": f0,
        "sid": torch.tensor([number % card.speakers]),
        "skip_head": torch.tensor(_SKIPPED[number]),
        "return_length": torch.tensor(decoded),
        "formant_length": torch.tensor(_STRETCHED[number]),
        "rnd": noise * _NOISE_SCALE,
        "source_noise": torch.randn(1, samples, generator=chance),
        "noise_scale": torch.tensor(0.0),
        "source_noise_scale": torch.tensor(0.0),
    }


def _by_node(network: VoiceNetwork, values: Values) -> torch.Tensor:
    """Audio ``[samples]`` of the node's own network; everything drawn is given."""
    feats = values["feats"]
    window = Window(int(values["skip_head"]), int(values["return_length"]))
    wave = None
    if "pitchf" in values:
        f0 = values["pitchf"][:, window.skip : window.skip + window.count]
        wave = add_noise(network.source(f0), f0, values["source_noise"], 1.0)
    noise = values["rnd"][:, :, window.head :][:, :, : window.prior_frames(feats.shape[1])]
    frames = int(values["formant_length"]) or window.count
    return network(
        feats, values.get("pitch"), wave, int(values["sid"]), window, noise, frames
    ).flatten()


def w_okada_metadata(card: VoiceCard) -> dict[str, str | int | bool]:
    """What w-okada's programs read under the key ``metadata``: their version 2.1.

    In that version the output has one axis, and nothing is to be clipped.
    """
    kind = "pyTorchRVC" if card.version == "v1" else "pyTorchRVCv2"
    features = card.features
    return {
        "application": "VC_CLIENT",
        "version": "2.1",
        "modelType": kind if card.f0 else f"{kind}Nono",
        "samplingRate": card.rate,
        "f0": card.f0,
        "embChannels": card.dim,
        "embedder": "hubert_base",
        "embOutputLayer": features.layer if features else 12,
        "useFinalProj": features.project if features else False,
    }

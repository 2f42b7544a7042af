"""The base of the nodes with a phonetic encoder: the param that names its file, and ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar

import torch
from pydantic import Field

from voicegraph.graph import (
    Features,
    FilePath,
    NodeParams,
    Out,
    PipelineError,
    Ports,
    Problem,
    State,
)
from voicegraph.nodes.content.encoder import ContentEncoder
from voicegraph.nodes.content.encoder_provenance import encoder_origin
from voicegraph.nodes.content.phonetic_file import NOUN, build_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_frames import FRAMES_HZ
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import form_for, load_network
from voicegraph.schemas.phonetic_card import LAYER


class PhoneticEncoderParams(NodeParams):
    """Params that every node with a phonetic encoder has."""

    weights: FilePath | None = None
    """The encoder, a `.safetensors` file. By default the pipeline's `assets.phonetic`."""
    layer: int = Field(LAYER, ge=1, le=64)
    """The block whose output are the features; later blocks are not computed. Voices and indexes
    require the one that they were made with."""


ParamsT = TypeVar("ParamsT", bound=PhoneticEncoderParams)
StateT = TypeVar("StateT", bound=State | None)


class PhoneticEncoder(ContentEncoder[ParamsT, StateT], Generic[ParamsT, StateT]):
    """Base of the nodes that run a phonetic encoder: 50 Hz, as wide as the file says.

    The features are labelled with family, fingerprint and layer of the encoder, or with those of
    the encoder whose features it was trained to give (``space`` of its card). A voice or an index
    that was made with another encoder refuses them.
    """

    Params = PhoneticEncoderParams
    asset = "phonetic"

    content = Out(Features, rate=FRAMES_HZ, doc="content features, independent of the speaker")

    def ports(self, params: ParamsT) -> Ports:
        """The width from the header of the file, the encoder's identity from six small tensors.

        Raises:
            PipelineError: if no file is named, or it has no such layer.
            WeightsError: if the file is no phonetic encoder, or its tensors are not what they
                should be.
        """
        if params.weights is None:
            text = f"needs the file of {NOUN}, and none is given"
            fix = "--set assets.phonetic=PATH\nor in the file  assets: {phonetic: PATH}"
            raise PipelineError(Problem("missing-weights", text, fix=fix))
        archive, card = open_phonetic(params.weights)
        if params.layer > card.blocks:
            text = f"{params.weights} has {card.blocks} blocks, and not layer {params.layer}"
            fix = f"nodes.{self.name or 'NAME'}.params.layer: {card.blocks}"
            raise PipelineError(Problem("wrong-encoder", text, fix=fix))
        origin = encoder_origin(card.identity(params.layer), archive.path)
        content = replace(type(self).content, dim=card.hidden, origin=origin)
        return Ports(self.declared.inputs, {"content": content})

    def shared_network(
        self, params: ParamsT, device: torch.device, dtype: torch.dtype
    ) -> PhoneticNetwork:
        """The network, one a process for each file, device and form.

        Raises:
            WeightsError: if the file is no phonetic encoder, or a tensor holds NaN or infinity.
        """
        return self.network_in(params, form_for(PhoneticNetwork, device, dtype), device)

    def network_in(
        self, params: ParamsT, form: Form, device: torch.device | None = None
    ) -> PhoneticNetwork:
        """The network in a form, by default on the CPU; shared in the same way.

        Raises:
            WeightsError: as :meth:`shared_network`.
        """
        assert params.weights is not None
        archive, _ = open_phonetic(params.weights)
        where = torch.device("cpu") if device is None else device
        return load_network(PhoneticNetwork, archive, lambda: build_phonetic(archive), where, form)

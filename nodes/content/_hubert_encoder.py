"""The base of the nodes with a HuBERT encoder: params that name file and layer, and ports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

import torch
from pydantic import Field

from voicegraph.graph import (
    ExportedNetwork,
    Features,
    FilePath,
    NodeParams,
    Out,
    PipelineError,
    Ports,
    PrecisionChoice,
    Problem,
    State,
)
from voicegraph.nodes.content import hubert_example
from voicegraph.nodes.content._encoder_header import encoder_sizes
from voicegraph.nodes.content._hubert_export import chosen_outputs, hubert_export
from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content._hubert_trial import BASE, trial_stages
from voicegraph.nodes.content._hubert_weights import build_hubert, load_hubert
from voicegraph.nodes.content._voice_features import features_of
from voicegraph.nodes.content.encoder import ContentEncoder
from voicegraph.nodes.content.encoder_file import FIX, NOUN, EncoderFile, card_of, open_encoder
from voicegraph.nodes.content.encoder_provenance import encoder_origin
from voicegraph.nodes.content.hubert_sizes import FRAMES_HZ, HubertSizes
from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.int8_linear import can_quantise
from voicegraph.nodes.layers.network import choose_precision, form_for
from voicegraph.nodes.layers.onnx_file import use_instead
from voicegraph.schemas.encoder_card import V1, V2, Chosen
from voicegraph.schemas.export_card import MODEL_KEY


class HubertEncoderParams(NodeParams):
    """Params that every node with a HuBERT encoder has."""

    weights: FilePath | None = None
    """The encoder: fairseq's `hubert_base.pt`, a folder of Hugging Face (or the `.bin` or
    `.safetensors` in it), or a converted file. By default the pipeline's `assets.hubert`."""
    voice: FilePath | None = None
    """The RVC voice that uses the features: it determines `layer` and `project`."""
    layer: int | None = Field(None, ge=1, le=100)
    """The transformer layer whose output are the features; later layers are not computed. By
    default that of the voice, or 12."""
    project: bool | None = None
    """Apply the encoder's final projection. By default as the voice requires, or not."""


ParamsT = TypeVar("ParamsT", bound=HubertEncoderParams)
StateT = TypeVar("StateT", bound=State | None)


class HubertEncoder(ContentEncoder[ParamsT, StateT], Generic[ParamsT, StateT]):
    """Base of the nodes that run an encoder of the HuBERT base architecture: 50 Hz.

    RVC voices of version 2 use layer 12, those of version 1 the projection of layer 9: ``voice``
    names the voice. A voice needs the encoder that it was trained on, even if another one has the
    same width. So the features are labelled with family, fingerprint and layer, and a voice or an
    index whose file names another encoder refuses them.
    """

    Params = HubertEncoderParams
    asset = "hubert"
    dtypes = (*ContentEncoder.dtypes, "int8")
    needs_float64 = True

    content = Out(Features, rate=FRAMES_HZ, doc="content features, independent of the speaker")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """The file that ``examples`` name: a small encoder with random weights."""
        hubert_example.write(folder / "encoder.safetensors")

    def ports(self, params: ParamsT) -> Ports:
        """The width from the header of the file, the encoder's identity from six small tensors.

        Raises:
            PipelineError: if no file is named, or it has no such layer or no projection.
            WeightsError: if the file is no encoder, or its tensors are not what they should be.
        """
        chosen = _features(params)
        found = self._open(params, chosen)
        dim = found.sizes.projection if chosen.project else found.sizes.hidden
        origin = encoder_origin(card_of(found).identity(*chosen), found.archive.path)
        content = replace(self.declared.outputs["content"], dim=dim, origin=origin)
        return Ports(self.declared.inputs, {"content": content})

    def widened(self, params: ParamsT, width: int) -> dict[str, int | bool]:
        """The layer and projection of that width, as RVC voices use them."""
        sizes = self.sizes(params)
        if width == sizes.hidden:
            return {"layer": V2.layer, "project": V2.project}
        if width == sizes.projection:
            return {"layer": V1.layer, "project": V1.project}
        return {}

    def shared_network(
        self, params: ParamsT, device: torch.device, dtype: torch.dtype
    ) -> HubertNetwork:
        """The network, loaded once a process for each file, layer, device and form."""
        return self.network_in(params, form_for(HubertNetwork, device, dtype), device)

    def network_in(
        self, params: ParamsT, form: Form, device: torch.device | None = None
    ) -> HubertNetwork:
        """The network in a form, by default on the CPU; shared in the same way."""
        layer, project = chosen = _features(params)
        where = torch.device("cpu") if device is None else device
        return load_hubert(self._open(params, chosen), layer, project, where, form)

    def exported(self, params: ParamsT) -> ExportedNetwork:
        """The whole encoder, for windows of any length.

        Raises:
            WeightsError: if the file cannot be read again.
        """
        chosen, cpu = _features(params), torch.device("cpu")
        found = self._open(params, chosen)
        form, sizes = form_for(HubertNetwork, cpu, torch.float32), found.sizes
        outputs = chosen_outputs(sizes.layers, sizes.projection is not None, chosen)
        widths = {
            name: (sizes.projection or 0) if features.project else sizes.hidden
            for name, features in outputs.items()
        }
        return hubert_export(
            lambda needed: build_hubert(found, *needed),
            lambda needed: load_hubert(found, *needed, cpu, form),
            outputs,
            widths,
            {MODEL_KEY: card_of(found).stored()},
        )

    def frames_computed(self, params: ParamsT) -> tuple[int, int]:
        """Frames at each block that pass the convolutions, and that pass the layers."""
        raise TypeError(f"{type(self).__name__} does not define frames_computed()")

    def choose_precision(self, params: ParamsT, device: torch.device) -> PrecisionChoice:
        """A trial of a layer and a convolution, at the size that each block has."""
        new, live = self.frames_computed(params)
        stages = trial_stages(self.sizes(params), _features(params).layer, new, live)
        return choose_precision(HubertNetwork, stages, device)

    def has_precision(self, dtype: str, device: torch.device) -> bool:
        """There is int8 on some processors only."""
        return dtype in self.dtypes and (dtype != "int8" or can_quantise(device))

    @classmethod
    def usual_precision(cls) -> PrecisionChoice:
        """Of HuBERT base, with 12 new frames at each block and 12 computed again."""
        stages = trial_stages(BASE, BASE.layers, 12, 24)
        return choose_precision(HubertNetwork, stages, torch.device("cpu"))

    def sizes(self, params: ParamsT) -> HubertSizes:
        """The sizes of the network in the file."""
        assert params.weights is not None  # or `ports` has raised
        return encoder_sizes(params.weights)

    def _open(self, params: ParamsT, chosen: Chosen) -> EncoderFile:
        """The file's header, checked against the params."""
        where = f"nodes.{self.name or 'NAME'}.params"
        if params.weights is None:
            text = f"needs the file of {NOUN}, and none is given"
            fix = "--set assets.hubert=PATH\nor in the file  assets: {hubert: PATH}"
            raise PipelineError(Problem("missing-weights", text, fix=fix))
        other = use_instead(params.weights, self.name, "content.onnx", FIX)
        found = open_encoder(params.weights, other)
        sizes = found.sizes
        layer, project = chosen
        asks = f", which {params.voice} takes" if params.voice else ""
        if layer > sizes.layers:
            text = f"{params.weights} has {sizes.layers} layers, and not layer {layer}{asks}"
            self._refuse(text, f"{where}.layer: {sizes.layers}")
        if project and sizes.projection is None:
            text = f"{params.weights} has no final projection{asks or ', which `project` asks for'}"
            fix = "assets.hubert: a file that has one, such as hubert_base.pt"
            self._refuse(text, f"{fix}\nor  {where}.project: false")
        return found

    def _refuse(self, text: str, fix: str) -> NoReturn:
        raise PipelineError(Problem("wrong-encoder", text, fix=fix))


def _features(params: HubertEncoderParams) -> Chosen:
    """Layer and projection: as the params say, or else as the voice takes them.

    Raises:
        WeightsError: if the file named as the voice is none.
    """
    wanted = V2
    if params.voice is not None and (params.layer is None or params.project is None):
        wanted = features_of(params.voice) or V2
    layer = wanted.layer if params.layer is None else params.layer
    return Chosen(layer, wanted.project if params.project is None else params.project)

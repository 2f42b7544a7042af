"""``content.hubert``: content features by HuBERT, ContentVec or another such encoder."""

from __future__ import annotations

import math
from fractions import Fraction

import torch

from voicegraph.graph import (
    ExportedNetwork,
    Features,
    Interval,
    Out,
    Request,
    Requests,
    Tensors,
    register,
)
from voicegraph.nodes.content._hubert_encoder import HubertEncoder, HubertEncoderParams
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.hubert_sizes import FRAMES_HZ
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

_STEPS_HZ = Fraction(100)
"""The audio is requested in whole steps of 10 ms, half a frame."""


class HubertParams(HubertEncoderParams):
    """Params of ``content.hubert``."""


@register("content.hubert")
class Hubert(HubertEncoder[HubertParams, None]):
    """Content features by an encoder of the HuBERT base architecture.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> windows of ``content`` ``[streams,
    frames, dim]`` at 50 Hz. The input of frame ``k`` are the 25 ms from the window's start + 20 ms
    * k on, and the rest of the window by attention. If the window ends before that, the previous
    frame is repeated. The width is that of the layers (768), or of the final projection (256).

    The whole window is encoded again at each tick, since a norm over time and attention make every
    frame depend on every sample. A request of less than 25 ms is extended into the past.

    RVC voices of version 2 use layer 12, those of version 1 the projection of layer 9: ``voice``
    names the voice. A voice needs the encoder that it was trained on, even if another one has the
    same width. So the features are labelled with family, fingerprint and layer, and a voice or an
    index whose file names another encoder refuses them.

    Sources: W.-N. Hsu et al., "HuBERT: self-supervised speech representation learning by masked
    prediction of hidden units", IEEE/ACM TASLP 29, 2021; K. Qian et al., "ContentVec: an improved
    self-supervised speech representation by disentangling speakers", ICML 2022.
    """

    chunking = "windowed"
    pure = True
    examples = (
        {"weights": "encoder.safetensors", "layer": 2},
        {"weights": "encoder.safetensors", "layer": 1, "project": True},
    )

    content = Out(
        Features, rate=FRAMES_HZ, window=True, doc="content features, independent of the speaker"
    )

    def needs(self, params: HubertParams, out: Request) -> Requests:
        """The audio of the output frames."""
        return {"audio": Request(self.gives(params, out), out.core)}

    def gives(self, params: HubertParams, out: Request) -> Interval:
        """The span, extended to whole steps of 10 ms and to at least one frame."""
        span = extend_to_whole_frames(out.interval, _STEPS_HZ)
        short = math.ceil((Fraction(self.sizes(params).field, RATE) - span.duration) * _STEPS_HZ)
        return span.widen(before=max(0, short) / _STEPS_HZ)

    def prepare(self, params: HubertParams) -> None:
        """Computes which samples are the network's input."""
        self._audio = self.given["audio"].part(self.asked["content"].interval)

    def frames_computed(self, params: HubertParams) -> tuple[int, int]:
        """All frames of the window, at each block."""
        count = self.asked["content"].count
        return count, count

    def load(self, params: HubertParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, once a process for each file, layer, device and form."""
        self.network = self.shared_network(params, device, dtype)

    def exports(self, params: HubertParams) -> ExportedNetwork:
        """The encoder for windows of any length."""
        return self.exported(params)

    def process(self, inputs: Tensors, params: HubertParams, state: None) -> Tensors:
        """One tick: the whole window of each stream."""
        count = self.asked["content"].count
        made = self.network(inputs["audio"][:, 0, self._audio])
        last = made[:, -1:].expand(-1, max(0, count - made.shape[1]), -1)
        return {"content": torch.cat([made, last], 1)[:, :count]}

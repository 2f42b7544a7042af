"""The network of SwiftF0: convolutions over three spectrograms of different resolution.

L. Nieradzik, "SwiftF0: fast and accurate monophonic pitch detection", arXiv 2508.18440, 2025.
Architecture, constants and weights are those of the package swift-f0 0.3.0
(https://github.com/lars76/swift-f0, MIT), whose output this network has to rounding.

Everywhere an image is ``[streams, frames, bands, channels]``. There is a frame every 256 samples at
16 kHz; frame ``k`` is centred at sample ``256 k``.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from voicegraph.graph.files.models import Archive, load_state, open_archive
from voicegraph.nodes.layers.form import PACKED_FLOAT32, Form
from voicegraph.nodes.layers.image_convolution import (
    ImageConvolution,
    Margins,
    PackedImageConvolution,
    image_product,
)
from voicegraph.nodes.layers.network import Network, form_for, load_network

RATE, HOP = 16000, 256
"""Sample rate in Hz, and samples from frame to frame."""
WINDOWS = (1024, 2048, 512)
"""Windows of the spectrograms in samples."""
REACH = 7
"""Frames of the spectrograms on either side that a frame of the output depends on."""
LOWEST_HZ, HIGHEST_HZ = 46.875, 2093.75
WEIGHTS = Path(__file__).resolve().parents[2] / "pipelines" / "models" / "swift-f0.safetensors"
_BANDS, PITCHES = 128, 95
SEEN = PITCHES + 1
"""Lowest bands that the pitch is read from."""
_CHANNELS = 12
_WEIGHTS = 3607
"""Weights of all bands."""
_TALL = ((7, 17), (5, 27), (3, 40), (3, 48))
"""Taps and dilation of the blocks that look along the bands only: harmonics lie that far apart."""
FLOOR = 1e-8
SLACK = 1e-6
"""Share by which a pitch may lie outside the search range: the package compares in float32."""
SILENT_PEAK = 1e-3
"""Frames whose samples are all below this are unvoiced: the network never saw digital silence."""
_FEW = 48
"""Frames of all streams up to which products are faster than convolutions."""
_AT_ONCE = 1875
"""Frames of a file that are computed in one call: half a minute."""


class SwiftNetwork(Network):
    """Audio to scores of 95 pitches, and the score of voicing; on the CPU.

    ``pitches`` float64 ``[95]``: natural logarithms of the pitches in Hz.
    """

    packings = MappingProxyType(
        {PACKED_FLOAT32: MappingProxyType({ImageConvolution: PackedImageConvolution})}
    )
    pitches: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pitches", torch.zeros(PITCHES, dtype=torch.float64))
        self.bands = _Bands()
        self.first = ImageConvolution(len(WINDOWS), _CHANNELS, (3, 3))
        shapes = [(3, 7, 1), *((1, taps, dilation) for taps, dilation in _TALL), (3, 7, 2)]
        self.blocks = nn.ModuleList(_Block(*shape) for shape in shapes)
        self.head = ImageConvolution(_CHANNELS, 4, (3, 3))
        self.pitch = nn.Linear(4, 1)
        self.peaks = ImageConvolution(4, 4, (1, 5), relu=False)
        self.near = nn.Linear(3 * 5, 16)
        self.voicing = nn.Linear(16, 1)

    def forward(
        self, audio: torch.Tensor, first: int = 0, count: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of frames ``first`` to ``first + count``; only what they need is computed.

        Args:
            audio: float32 ``[streams, samples]``, at least one frame. Samples after the last whole
                frame only serve the frames before.
            first: the first output frame.
            count: number of output frames; by default all that follow.

        Returns:
            Scores of the pitches ``[streams, count, 95]`` and of voicing ``[streams, count]``: the
            logits of a probability.
        """
        frames = audio.shape[1] // HOP
        own = range(first, frames if count is None else first + count)
        # Frames that the output depends on, by how far they may be away; none beyond the audio.
        near = [range(max(own.start - k, 0), min(own.stop + k, frames)) for k in range(REACH + 1)]
        image = self._spectra(audio, near[7])
        few = audio.device.type == "cpu" and len(audio) * len(near[7]) <= _FEW
        look = self._look_by_products if few else self._look_by_convolutions
        scores, peaks = look(image, near)
        voicing = self.voicing_scores(peaks, image[:, _part(near[7], near[1])])
        inner = _part(near[1], own)
        return scores[:, inner], voicing[:, inner]

    def _look_by_convolutions(
        self, image: torch.Tensor, near: list[range]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of the pitches, and what their peaks tell about voicing.

        Args:
            image: the spectra of frames ``near[7]``.
            near: frames that the output depends on, by how far they may be away.

        Returns:
            ``[streams, frames, 95]`` and ``[streams, frames, 4]``, of frames ``near[1]``.
        """
        x = self.first(image)[:, _part(near[7], near[6])]
        x = self.blocks[0](x, _part(near[6], near[5]))[:, _part(near[5], near[4])]
        for block in self.blocks[1:-1]:
            x = block(x)
        x = self.blocks[-1](x, _part(near[4], near[3]))[:, _part(near[3], near[2])]
        seen = self.head(x[:, :, :SEEN])[:, _part(near[2], near[1]), :PITCHES]
        return self.pitch(seen)[..., 0], self.peaks(seen).amax(2)

    def _look_by_products(
        self, image: torch.Tensor, near: list[range]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As :meth:`_look_by_convolutions`; only the bands that matter are computed."""
        x = image.permute(0, 3, 1, 2).contiguous()
        x = image_product(x, self.first, Margins(*_ends(near[7], near[6]), 1, 1))
        begin, *inner, end = cast("list[_Block]", list(self.blocks))
        x = begin.multiply(x, near[6], near[5], near[4])
        for block in inner:
            x = block.multiply(x)
        x = end.multiply(x, near[4], near[3], near[2], SEEN)
        seen = image_product(x, self.head, Margins(*_ends(near[2], near[1]), 1, 0))
        peaks = image_product(seen, self.peaks, Margins(0, 0, 2, 2)).amax(3).transpose(1, 2)
        weight = self.pitch.weight.expand(len(seen), -1, -1)
        scores = torch.baddbmm(self.pitch.bias, weight, seen.flatten(2))
        return scores.view(len(seen), -1, PITCHES), peaks

    def _spectra(self, audio: torch.Tensor, frames: range) -> torch.Tensor:
        """Logarithms of the spectra in bands, ``[streams, frames, 128, 3]``."""
        low, high, widest = frames.start, frames.stop, max(WINDOWS) // 2
        before, after = max(widest - low * HOP, 0), max(high * HOP + widest - audio.shape[1], 0)
        start = low * HOP - widest + before
        padded = functional.pad(audio[:, start : high * HOP + widest], (before, after))
        parts = [padded[:, widest - size // 2 :] for size in WINDOWS]
        return self.bands(self.bands.spectra(parts, high - low)).add_(FLOOR).log_()

    def voicing_scores(self, peaks: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, 4]`` and the spectra -> scores ``[streams, frames]``."""
        level = image.flatten(2).mean(2, keepdim=True)
        told = torch.cat((peaks, level), 2)
        near = functional.pad(told, (0, 0, 1, 1)).unfold(1, 3, 1).flatten(2)
        return self.voicing(functional.relu(self.near(near)))[..., 0]


class _Bands(nn.Module):
    """Spectra of several resolutions in triangular bands.

    Only some of the products with a dense matrix would not be 0. ``starts`` ``[3 * 128]``: where
    the bins of each band begin in ``bins``, their numbers among the bins of all spectra, and in
    ``shares``, their weights.
    """

    bins: torch.Tensor
    shares: torch.Tensor
    starts: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bins", torch.zeros(_WEIGHTS, dtype=torch.int64))
        self.register_buffer("shares", torch.zeros(_WEIGHTS))
        self.register_buffer("starts", torch.zeros(len(WINDOWS) * _BANDS, dtype=torch.int64))
        for size in WINDOWS:
            self.register_buffer(f"window{size}", torch.hann_window(size), persistent=False)

    def spectra(self, audio: list[torch.Tensor], count: int) -> torch.Tensor:
        """Magnitudes under Hann windows, ``[streams, count, bins]`` of all resolutions.

        Args:
            audio: for each resolution ``[streams, samples]`` from the begin of the first frame.
            count: number of frames.
        """
        windows = (getattr(self, f"window{size}") for size in WINDOWS)
        found = [
            torch.fft.rfft(part.unfold(1, len(window), HOP)[:, :count] * window)
            for part, window in zip(audio, windows, strict=True)
        ]
        # NumPy takes a tenth of torch's time for the magnitude of complex numbers.
        return torch.cat([torch.from_numpy(np.abs(part.numpy())) for part in found], 2)

    def matrices(self) -> list[torch.Tensor]:
        """The weights as dense matrices ``[bins, 128]``, one for each resolution."""
        ends = torch.cat((self.starts[1:], torch.tensor([len(self.bins)])))
        columns = torch.repeat_interleave(torch.arange(len(self.starts)), ends - self.starts)
        counts = [size // 2 + 1 for size in WINDOWS]
        whole = torch.zeros(sum(counts), len(self.starts))
        whole.index_put_((self.bins, columns), self.shares, accumulate=True)
        rows = zip(whole.split(counts), range(len(WINDOWS)), strict=True)
        return [part[:, number * _BANDS : (number + 1) * _BANDS].clone() for part, number in rows]

    def forward(self, spectra: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, bins]`` -> ``[streams, frames, 128, 3]``."""
        rows = spectra.flatten(0, 1).t().contiguous()
        summed = functional.embedding_bag(
            self.bins, rows, self.starts, mode="sum", per_sample_weights=self.shares
        )
        image = summed.view(len(WINDOWS), _BANDS, *spectra.shape[:2])
        return image.permute(2, 3, 1, 0).contiguous()


class _Block(nn.Module):
    """Two convolutions, and a residual connection.

    Args:
        wide: taps along time.
        tall: taps along the bands.
        dilation: of the taps along the bands.
    """

    def __init__(self, wide: int, tall: int, dilation: int) -> None:
        super().__init__()
        sizes = (_CHANNELS, _CHANNELS, (wide, tall), (1, dilation))
        self.first, self.second = ImageConvolution(*sizes), ImageConvolution(*sizes)
        self.reach = dilation * (tall // 2)  # bands on either side

    def forward(self, x: torch.Tensor, kept: slice = slice(None)) -> torch.Tensor:
        """``kept``: frames that the second convolution still needs."""
        return self.second(self.first(x)[:, kept], x[:, kept])

    def multiply(
        self,
        x: torch.Tensor,
        given: range = range(0),
        between: range = range(0),
        wanted: range = range(0),
        bands: int | None = None,
    ) -> torch.Tensor:
        """The same by products, ``[streams, 12, frames, bands]``.

        Args:
            x: the input.
            given: its frames; none if the block does not look along time.
            between: frames that the second convolution needs.
            wanted: frames of the output.
            bands: lowest bands of the output; None for all.
        """
        reach = self.reach
        right = reach if bands is None else 0
        x = x if bands is None else x[..., : bands + 2 * reach]
        y = image_product(x, self.first, Margins(*_ends(given, between), reach, right))
        add = x[:, :, _part(given, wanted), :bands] if given else x
        return image_product(y, self.second, Margins(*_ends(between, wanted), reach, right), add)


def _part(frames: range, wanted: range) -> slice:
    """Where ``wanted`` lies in ``frames``."""
    return slice(wanted.start - frames.start, wanted.stop - frames.start)


def _ends(given: range, wanted: range) -> tuple[int, int]:
    """Rows of zeros before and after frames, so that three rows make one of those wanted."""
    if not given:
        return 0, 0
    return 1 + given.start - wanted.start, 1 + wanted.stop - given.stop


class SwiftDetector:
    """Pitch and confidence of a network's frames.

    Args:
        network: plain or packed, on the CPU.
        floor: lowest pitch of the search in Hz.
        ceiling: highest pitch.
    """

    def __init__(self, network: SwiftNetwork, floor: float, ceiling: float) -> None:
        self.network = network
        hertz = network.pitches.exp()
        low, high = max(floor, LOWEST_HZ), min(ceiling, HIGHEST_HZ)
        self._searched = (hertz >= low * (1 - SLACK)) & (hertz <= high * (1 + SLACK))
        self._scores = torch.where(self._searched, 0.0, -torch.inf)
        self._pitches = functional.pad(network.pitches, (1, 1))

    def __call__(
        self, audio: torch.Tensor, first: int = 0, count: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pitch in Hz, float64, and confidence 0..1, float32: ``[streams, count]`` each.

        The pitch is the mean of the best pitch and its two neighbours, weighted by their scores.

        Args:
            audio: float32 ``[streams, samples]`` at 16 kHz, as for the network.
            first: the first frame.
            count: number of frames; by default all that follow.
        """
        scores, voicing = self.network(audio, first, count)
        best = scores.argmax(2)
        searched = functional.pad(scores + self._scores, (1, 1), value=-torch.inf)
        near = searched.argmax(2, keepdim=True) + torch.arange(-1, 2)
        shares = searched.gather(2, near).double().softmax(2)
        pitch = (shares * self._pitches.take(near)).sum(2).exp()
        size = voicing.shape[1]
        peaks = audio[:, first * HOP : (first + size) * HOP].unflatten(1, (size, HOP)).abs().amax(2)
        known = self._searched.take(best) & (peaks >= SILENT_PEAK)
        return pitch, torch.where(known, voicing.sigmoid(), 0.0)

    def whole(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pitch and confidence of a recording, in parts of half a minute.

        Args:
            audio: float32 ``[samples]`` at 16 kHz.

        Returns:
            ``[max(samples // 256, 1)]`` each.
        """
        count = max(len(audio) // HOP, 1)
        padded = functional.pad(audio, (0, max(HOP - len(audio), 0)))[None]
        with torch.inference_mode():
            parts = [
                self(padded, first, min(_AT_ONCE, count - first))
                for first in range(0, count, _AT_ONCE)
            ]
        pitch, confidence = (torch.cat(found, 1)[0] for found in zip(*parts, strict=True))
        return pitch, confidence


def load_swift(form: Form | None = None) -> SwiftNetwork:
    """The network in a form, by default the one that is fastest here; one a process.

    Raises:
        WeightsError: if the file of its weights is missing or damaged.
    """
    archive, device = open_archive(WEIGHTS), torch.device("cpu")
    form = form or form_for(SwiftNetwork, device, torch.float32)
    return load_network(SwiftNetwork, archive, lambda: build_swift(archive), device, form)


def build_swift(archive: Archive) -> SwiftNetwork:
    """The plain network from the file of its weights.

    Raises:
        WeightsError: if the file is damaged.
    """
    network = SwiftNetwork()
    load_state(network, archive.read(archive.tensors), archive.path, "the pitch network SwiftF0")
    return network

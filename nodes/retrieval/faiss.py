"""``retrieval.faiss``: mixes content features with neighbours from a voice's training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Approximation,
    ExportedFile,
    Features,
    FilePath,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Ports,
    Tensors,
    register,
)
from voicegraph.graph.files.faiss_files.index_bytes import Located
from voicegraph.graph.files.models import identify
from voicegraph.nodes.content.encoder_provenance import required_encoder
from voicegraph.nodes.retrieval import _faiss_example as faiss_example
from voicegraph.nodes.retrieval.blending import MOST_NEIGHBOURS, neighbour_mean
from voicegraph.nodes.retrieval.usable_index import locate_usable, read_usable
from voicegraph.schemas.encoder_card import EncoderIdentity, TrainedCard

if TYPE_CHECKING:
    from voicegraph.nodes.retrieval.index_search import StoredIndex


class FaissParams(NodeParams):
    """Params of ``retrieval.faiss``."""

    index: FilePath
    """The index: a FAISS file such as RVC's ``added_*.index``, a converted one, or a
    source-filter voice, which contains one."""
    rate: Live[float] = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    """Share of each frame from the index: 0 is none, without a search; 1 is all."""
    k: int = Field(8, ge=1, le=MOST_NEIGHBOURS)
    """Number of neighbours that are averaged."""
    nprobe: int | None = Field(None, ge=1)
    """Number of inverted lists that are searched: more find nearer neighbours, at more cost. null
    is the value in the file, which is 1 in RVC; more than there are is all."""
    any_encoder: bool = False
    """Accept features of any content encoder, even if the index states another one."""


@register("retrieval.faiss")
class Faiss(Node[FaissParams, None]):
    """Mixes each frame with its nearest neighbours among the vectors of a FAISS index.

    features ``[streams, frames, dim]`` at any rate -> features, same type, on streams and windows;
    the index must hold vectors of ``dim`` values.

    With d the squared L2 distances to the ``k`` nearest, the neighbours are averaged with weights
    proportional to (1 / d)^2, and the frame becomes ``rate * mean + (1 - rate) * frame``.
    If there are neighbours at distance 0, only these are averaged. If the searched lists hold fewer
    than ``k`` vectors, those are averaged. A frame without any neighbour, or with NaN, stays as it
    is. In a window, frames before the part that the consumer uses (the *core*) pass unchanged.

    Supported are inverted lists (IVF) of uncompressed (Flat), scalar (SQ) or product (PQ) quantized
    vectors under Flat or HNSW centres, and Flat alone; each behind OPQ or another linear transform,
    and in an identifier map. If vectors are quantized, the quantized ones are averaged, and d is
    FAISS's estimate.

    The file is read into memory once, for all sessions of the process, and is not needed after
    that. A search uses the pipeline's ``threads``.

    Source: the retrieval of RVC's real-time path, which it matches to float32 precision.
    """

    pure = True
    releases_gil = True
    examples = (
        {"index": "flat.index", "rate": 0.7},
        {"index": "lists.index", "k": 3, "nprobe": 2, "rate": 1.0},
        {"index": "lists.index", "rate": 0.0},
    )

    content = In(Features, doc="content features")
    out = Out(Features, like="content", doc="the same, mixed with the voice's")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """A flat index, and one with inverted lists."""
        faiss_example.write(folder)

    def ports(self, params: FaissParams) -> Ports:
        """The width of the index, and the content encoder of its vectors, if the file states it.

        Raises:
            WeightsError: if the file is not an index, or one that cannot be used.
        """
        found = locate_usable(params.index)
        layout = found.layout
        wide = replace(
            type(self).content,
            dim=layout.dimension,
            doc=f"content features; {params.index} holds vectors of {layout.dimension} dimensions",
            fix=f"nodes.{self.name}.params.index: the index that was made for this voice",
            wanted=required_encoder(_trained_on(found), params.index, "index", params.any_encoder),
        )
        return Ports({"content": wide}, type(self).declared.outputs)

    def approximations(self, params: FaissParams) -> Sequence[Approximation]:
        """The search of some of the index's lists."""
        lists = locate_usable(params.index).layout.inverted_part
        if lists is None or lists.lists is None:
            return ()
        probes = params.nprobe or lists.probes or 1
        if probes >= lists.lists:
            return ()
        text = f"searches {probes} of the {lists.lists} lists of the index, so that it misses "
        text += "some of the nearest neighbours"
        return (Approximation("nprobe", text, lists.lists),)

    def prepare(self, params: FaissParams) -> None:
        """Computes which frames are the output, and which of them are mixed."""
        given, asked = self.given["content"], self.asked["out"]
        self._first = given.index(asked.interval.start)
        self._core = max(given.index(asked.core.start) - self._first, 0)

    def load(self, params: FaissParams, device: torch.device, dtype: torch.dtype) -> None:
        """Reads the index into memory, once a process.

        Raises:
            WeightsError: if FAISS cannot use the file.
        """
        from voicegraph.nodes.retrieval.index_search import open_index

        self.stored: StoredIndex = open_index(params.index, params.nprobe)

    def exported_files(self, params: FaissParams) -> Mapping[str, ExportedFile]:
        """The index as FAISS writes it, wherever it lies."""
        return {"index": ExportedFile(".index", read_usable(params.index).data.data)}

    def process(self, inputs: Tensors, params: FaissParams, state: None) -> Tensors:
        """One block or window of all streams, in one search."""
        features = inputs["content"].narrow(1, self._first, self.asked["out"].count).clone()
        if params.rate > 0:
            frames = features[:, self._core :]
            frames.copy_(self._mixed(frames, params))
        return {"out": features}

    def _mixed(self, frames: torch.Tensor, params: FaissParams) -> torch.Tensor:
        queries = frames.reshape(-1, frames.shape[2]).numpy()
        mean, found = neighbour_mean(*self.stored.search(np.ascontiguousarray(queries), params.k))
        mixed = params.rate * mean + (1 - params.rate) * queries
        return torch.from_numpy(np.where(found[:, None], mixed, queries)).view(frames.shape)


def _trained_on(found: Located) -> EncoderIdentity | None:
    """The content encoder of the vectors, which the card of a converted file may state."""
    if not found.start:  # FAISS's own files have no card
        return None
    card = identify(found.path).card
    return card.trained_on if isinstance(card, TrainedCard) else None

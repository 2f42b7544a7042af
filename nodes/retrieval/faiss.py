"""``retrieval.faiss``: content features moved towards those that a voice was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Features,
    FilePath,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Ports,
    Problem,
    Tensors,
    register,
)
from voicegraph.graph.files.models import WeightsError, identify
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.nodes.content.encoder_provenance import required_encoder
from voicegraph.nodes.retrieval import _faiss_example as faiss_example
from voicegraph.nodes.retrieval._blending import MOST_NEIGHBOURS, neighbour_mean
from voicegraph.nodes.retrieval._index_layout import L2, METRICS
from voicegraph.nodes.retrieval.index_file import Located, locate
from voicegraph.schemas.encoder_card import EncoderIdentity, TrainedCard

if TYPE_CHECKING:
    from voicegraph.nodes.retrieval._index_search import StoredIndex

_ADDED = "the voice's added_*.index"


class FaissParams(NodeParams):
    """Params of ``retrieval.faiss``."""

    index: FilePath
    """The index: a FAISS file such as RVC's ``added_*.index``, a converted one, or a
    source-filter voice that brings its own."""
    rate: Live[float] = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    """How much of each frame is taken from the index: 0 nothing, without a search; 1 all."""
    k: int = Field(8, ge=1, le=MOST_NEIGHBOURS)
    """How many neighbours are averaged."""
    nprobe: int | None = Field(None, ge=1)
    """How many of the index's inverted lists are searched: more find nearer neighbours, at more
    cost. null is what the file says, which RVC's training set to 1; more than there are is
    all."""
    any_encoder: bool = False
    """Take features of any content encoder, also where the index says that its vectors are of
    another one."""


@register("retrieval.faiss")
class Faiss(Node[FaissParams, None]):
    """Mixes each frame with its nearest neighbours among the vectors of a FAISS index.

    features ``[streams, frames, dim]`` at any rate -> features, same type, on streams and windows;
    the index must hold vectors of ``dim`` values.

    With d the squared L2 distances to the ``k`` nearest, the neighbours are averaged with weights
    proportional to (1 / d)^2, and the frame becomes ``rate * mean + (1 - rate) * frame``.
    Neighbours at distance 0, if there are any, make up the mean alone. Where the lists that are
    searched hold fewer than ``k`` vectors, those are averaged; a frame for which there is none
    stays as it is, as does one with NaN in it. Of a window, frames before the part that the
    consumer will use (the *core*) are context, and pass unchanged.

    Any type of index will do from which FAISS can give vectors back. Where vectors are stored
    rounded, the rounded ones are averaged, and d is FAISS's estimate; where FAISS only ranks (LSH,
    additive quantizers in blocks), d is measured to the rounded ones.

    The file is mapped into memory and is the only copy of the vectors, for all sessions of the
    process; of types that FAISS does not take by views, there is one copy beside it. It may be
    replaced while it is in use, by a new file of that name, but not overwritten. A search uses the
    pipeline's ``threads``.

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
    out = Out(Features, like="content", doc="the same, nearer to the voice's")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """A flat index, and one with inverted lists."""
        faiss_example.write(folder)

    def ports(self, params: FaissParams) -> Ports:
        """The width of the index, and the content encoder of its vectors, where the file says it.

        Raises:
            WeightsError: if the file is no index, or one that cannot serve.
        """
        found = _usable(params.index)
        layout = found.layout
        wide = replace(
            type(self).content,
            dim=layout.dimension,
            doc=f"content features; {params.index} holds vectors of {layout.dimension} dimensions",
            fix=f"nodes.{self.name}.params.index: the index that was made for this voice",
            wanted=required_encoder(_trained_on(found), params.index, "index", params.any_encoder),
        )
        return Ports({"content": wide}, type(self).declared.outputs)

    def load(self, params: FaissParams, device: torch.device, dtype: torch.dtype) -> None:
        """Maps the index into memory, once a process."""
        from voicegraph.nodes.retrieval._index_search import open_index

        self.stored: StoredIndex = open_index(params.index, params.nprobe)

    def process(self, inputs: Tensors, params: FaissParams, state: None) -> Tensors:
        """One block or one window of all streams, in one search."""
        given, asked = self.given["content"], self.asked["out"]
        first = given.index(asked.interval.start)
        features = inputs["content"].narrow(1, first, asked.count).clone()
        if params.rate > 0:
            begin = max(given.index(asked.core.start) - first, 0)
            frames = features[:, begin:]
            frames.copy_(self._mixed(frames, params))
        return {"out": features}

    def _mixed(self, frames: torch.Tensor, params: FaissParams) -> torch.Tensor:
        queries = frames.reshape(-1, frames.shape[2]).numpy()
        mean, found = neighbour_mean(*self.stored.search(np.ascontiguousarray(queries), params.k))
        mixed = params.rate * mean + (1 - params.rate) * queries
        return torch.from_numpy(np.where(found[:, None], mixed, queries)).view(frames.shape)


def _usable(path: Path) -> Located:
    """An index that can serve, known by its headers.

    Raises:
        WeightsError: if it cannot, and why.
    """
    found = locate(path)
    if found is None:
        raise wrong_kind(path, "a FAISS index", f"use {_ADDED}")
    layout = found.layout
    if layout.metric != L2:
        raise _refuse(
            "wrong-metric",
            f"{path}: an index that compares by {METRICS[layout.metric]}; retrieval weighs "
            f"neighbours by {METRICS[L2]}",
        )
    if not layout.trained:
        raise _refuse("empty-index", f"{path}: an index that is not trained and holds no vectors")
    if not layout.vectors:
        raise _refuse(
            "empty-index",
            f"{path}: an index that is trained but empty, as RVC's training leaves it under the "
            "name trained_*.index",
            fix=f"use {_ADDED} beside it, which holds the vectors",
        )
    if layout.unsupported:
        raise _refuse(
            "unknown-index",
            f"{path}: an index of the type {layout.unsupported.text}",
            fix=layout.unsupported.fix,
        )
    return found


def _trained_on(found: Located) -> EncoderIdentity | None:
    """The content encoder of the vectors: the card of a converted file may name it."""
    if not found.start:  # FAISS's own files have no card
        return None
    card = identify(found.path).card
    return card.trained_on if isinstance(card, TrainedCard) else None


def _refuse(code: str, message: str, fix: str = f"use {_ADDED}") -> WeightsError:
    return WeightsError(Problem(code, message, fix=fix))

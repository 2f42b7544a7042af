"""Content features of sounds by the encoder of a pipeline, block by block as it runs live."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voicegraph.graph import registry
from voicegraph.graph.comparison import Clip
from voicegraph.graph.errors import InputError, PipelineError, Problem
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.ports import PortRef
from voicegraph.graph.runtime.port_series import PortRecorder, PortSeries
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.training.common.progress import progress_bar

_INTERFACE = "ContentEncoder"
RETRIEVAL = "retrieval.faiss"
_FLOOR_DB = -90.0
"""Level, in dB of full scale, below which everything is silence."""


@dataclass(frozen=True, slots=True)
class EncodedSounds:
    """Features of sounds.

    Attributes:
        vectors: float32 ``[frames, dimension]``, of all files.
        silent: which of them are silence, bool ``[frames]``.
        seconds: length of the sounds.
        encoder: which encoder made them, if it says so.
    """

    vectors: np.ndarray
    silent: np.ndarray
    seconds: float
    encoder: EncoderIdentity | None


def encoder_node(pipeline: Pipeline, name: str | None) -> str:
    """The node of a pipeline that computes content features.

    Args:
        pipeline: the pipeline.
        name: a node; None looks for the only one.

    Raises:
        PipelineError: if there is no such node, or several.
    """
    nodes = pipeline.loaded.file.nodes
    found = [
        each for each, spec in nodes.items() if registry.find(spec.use).interface == _INTERFACE
    ]
    if name is not None and name in found:
        return name
    if name is None and len(found) == 1:
        return found[0]
    listed = ", ".join(found) or "none"
    if name is not None:
        text = f"{pipeline.name} has no content encoder {name!r:.60}; it has: {listed}"
    else:
        text = f"expected one content encoder in {pipeline.name}, found: {listed}"
    fix = f"--node {found[0]}" if found else "--through: a pipeline with one, such as rvc"
    raise PipelineError(Problem("no-encoder", text, fix=fix))


def encode_sounds(
    paths: Sequence[Path], pipeline: Pipeline, node: str | None, silence_db: float
) -> EncodedSounds:
    """Content features of sound files.

    Args:
        paths: the files.
        pipeline: holds the encoder.
        node: its name; None takes the only one.
        silence_db: frames whose level is so far below the loud ones of their file are silence.

    Raises:
        PipelineError: if the pipeline has mistakes, or not one encoder.
        InputError: if a file cannot be read.
    """
    name = encoder_node(pipeline, node)
    plan = pipeline.changed({"output": name}).compile()
    planned = plan.find(name)
    port = next(iter(planned.node.declared.outputs))
    origin = planned.node.ports(planned.params).outputs[port].origin
    facts = dict(origin.facts) if origin else {}
    encoder = None
    if {"family", "fingerprint"} <= facts.keys():
        encoder = EncoderIdentity.model_validate({"title": origin.title if origin else "", **facts})
    parts = list(_encoded(plan, PortRef(name, port), paths))
    return EncodedSounds(
        np.concatenate([series.values for _, series in parts]),
        np.concatenate([_silent(clip, series, silence_db) for clip, series in parts]),
        sum(clip.seconds for clip, _ in parts),
        encoder,
    )


def retrieval_nodes(pipeline: Pipeline) -> list[str]:
    """The nodes of a pipeline that search an index.

    Raises:
        PipelineError: if there is none.
    """
    nodes = pipeline.loaded.file.nodes
    found = [name for name, spec in nodes.items() if spec.use == RETRIEVAL]
    if not found:
        text = f"{pipeline.name} has no node {RETRIEVAL}, so that no index changes its sound"
        raise PipelineError(Problem("no-retrieval", text, fix="--through rvc, or default-live"))
    return found


def with_index(pipeline: Pipeline, index: Path, probes: int | None) -> Pipeline:
    """The pipeline with another index, searched in so many lists."""
    changes: dict[str, object] = {}
    for name in retrieval_nodes(pipeline):
        changes |= {
            f"nodes.{name}.enabled": True,
            f"nodes.{name}.params.index": str(index.resolve()),
        }
        changes[f"nodes.{name}.params.nprobe"] = probes
    return pipeline.changed(changes)


def searched_features(paths: Sequence[Path], pipeline: Pipeline) -> np.ndarray:
    """What the retrieval of a pipeline is given for sounds, float32 ``[frames, dimension]``.

    Raises:
        PipelineError: if the pipeline has mistakes, or no retrieval.
        InputError: if a file cannot be read.
    """
    (name, *_) = retrieval_nodes(pipeline)
    source = pipeline.compile().find(name).inputs["content"].source
    plan = pipeline.changed({"output": str(source)}).compile()
    return np.concatenate([series.values for _, series in _encoded(plan, source, paths)])


def _encoded(plan: Plan, ref: PortRef, paths: Sequence[Path]) -> Iterator[tuple[Clip, PortSeries]]:
    with (
        progress_bar("encoding", len(paths)) as tell,
        plan.session(warm_up=False, workers=False, write_files=False) as session,
    ):
        for number, path in enumerate(paths):
            clip = Clip.read(path)
            if not np.isfinite(clip.samples).all():
                text = f"{path} holds NaN or infinity"
                raise InputError(Problem("not-finite", text, fix="repair the file"))
            recorder = PortRecorder(plan.spec(ref), plan.block)
            samples = clip.at(plan.source)
            size = plan.samples_in
            count = math.ceil(
                (samples.shape[1] / plan.source.rate + max(0, recorder.lag)) / plan.block
            )
            padded = torch.zeros(1, len(samples), count * size)
            padded[0, :, : samples.shape[1]] = torch.from_numpy(samples)
            session.reset()
            for block in padded.split(size, dim=2):
                session.process(block)
                recorder.add(session.engine.value_of(ref, block))
            yield clip, recorder.series().between(clip.seconds)
            tell(path.name, number + 1)


def _silent(clip: Clip, series: PortSeries, silence_db: float) -> np.ndarray:
    """Which frames are so far below the 95th percentile of the levels of their file."""
    mono = clip.samples.mean(axis=0, dtype=np.float64)
    total = np.concatenate([[0.0], np.cumsum(mono)])
    power = np.concatenate([[0.0], np.cumsum(np.square(mono))])
    step = np.median(np.diff(series.times)) if len(series.times) > 1 else clip.seconds
    ends = np.stack([series.times, series.times + step])
    first, last = np.clip((ends * clip.rate).round().astype(np.int64), 0, len(mono))
    count = np.maximum(last - first, 1)
    variance = (power[last] - power[first]) / count - np.square(
        (total[last] - total[first]) / count
    )
    level = 10 * np.log10(np.maximum(variance, 1e-12))  # without DC, which some sound cards add
    if not len(level):
        return np.zeros(0, bool)
    return (level < np.percentile(level, 95) - silence_db) | (level <= _FLOOR_DB)

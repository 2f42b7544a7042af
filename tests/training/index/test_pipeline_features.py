"""Features of sounds through the encoder of a pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.pipeline import Pipeline
from voicegraph.training.index.pipeline_features import (
    encode_sounds,
    encoder_node,
    searched_features,
    with_index,
)


@pytest.fixture
def speech(tmp_path: Path) -> list[Path]:
    """Two files of a second of speech and half a second of silence, at two rates."""
    samples, rate = soundfile.read(bundled_recording.path(), frames=16000, start=16000)
    padded = np.concatenate([samples, np.zeros(rate // 2)])
    soundfile.write(tmp_path / "a.wav", padded, rate)
    soundfile.write(tmp_path / "b.wav", np.repeat(padded, 2), 2 * rate)
    return [tmp_path / "a.wav", tmp_path / "b.wav"]


def test_features_are_those_that_the_pipeline_searches_for(speech: list[Path]) -> None:
    pipeline = Pipeline.load("default-live")
    found = encode_sounds(speech, pipeline, None, 40.0)
    searched = searched_features(speech, pipeline)
    np.testing.assert_array_equal(found.vectors, searched)
    assert found.seconds == 3.0
    assert found.vectors.shape == (2 * 1.5 * 50, 144)
    assert found.encoder is not None
    assert found.encoder.family == "phonetic-conformer"


def test_silence_is_told_from_speech(speech: list[Path]) -> None:
    found = encode_sounds(speech, Pipeline.load("default-live"), "content", 40.0)
    for silent in np.split(found.silent, 2):
        assert silent[51:].all()
        assert silent[:49].mean() < 0.3
    loud = encode_sounds(speech[:1], Pipeline.load("default-live"), None, 300.0)
    assert not loud.silent[:49].any()
    assert loud.silent[51:].all()  # digital silence is silence at any threshold


def test_every_retrieval_of_a_pipeline_gets_the_index(tmp_path: Path) -> None:
    changed = with_index(Pipeline.load("default-live"), tmp_path / "some.index", 3)
    params = changed.loaded.file.nodes["retrieval"].params
    assert params["index"] == str((tmp_path / "some.index").resolve())
    assert params["nprobe"] == 3
    with pytest.raises(PipelineError, match=r"world has no node retrieval\.faiss"):
        with_index(Pipeline.load("world"), tmp_path / "some.index", 3)


def test_encoders_that_are_not_there_are_refused() -> None:
    with pytest.raises(PipelineError, match="one content encoder in world, found: none"):
        encoder_node(Pipeline.load("world"), None)
    with pytest.raises(PipelineError, match="no content encoder 'f0'; it has: content"):
        encoder_node(Pipeline.load("default-live"), "f0")

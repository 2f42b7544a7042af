"""RVC voices behind the C interface, from the files that people and `export` make."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.app.sdk.rvc_config import RvcConfig
from voicegraph.app.sdk.rvc_voice import RvcVoice
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.export import export_network
from voicegraph.graph.pipeline import Pipeline

DIO, RMVPE = 0, 1


def _config(f0: int) -> RvcConfig:
    return RvcConfig(0, 16000, 1, 0.1, 0.05, 0.2, 0, 0.0, 0, f0)


def _blocks(f0: int, hubert: Path, voice: Path) -> np.ndarray:
    """Three blocks of noise through a voice."""
    handle = RvcVoice(_config(f0))
    try:
        handle.load(str(hubert), str(voice), None)
        sound = np.random.default_rng(1).normal(0, 0.1, (3, 1, handle.block_frames)).astype("f4")
        session = handle.running().session
        return np.concatenate([session.process(block) for block in sound], 1)
    finally:
        handle.close()


def test_exported_networks_have_the_bits_of_their_models(
    write_models: Callable[[Path], None], tmp_path: Path
) -> None:
    """All three; RMVPE's is found beside the encoder, whatever its ending is."""
    models, exports = tmp_path / "models", tmp_path / "exports"
    models.mkdir()
    exports.mkdir()
    write_models(models)
    hubert, voice = models / "hubert.safetensors", models / "voice.pth"
    plan = Pipeline.load("rvc", _config(RMVPE).overrides(str(hubert), str(voice), None)).compile()
    for name, file in (("content", "hubert.pt"), ("voice", "voice.ts"), ("f0", "rmvpe.ts")):
        export_network(plan, name, exports / file, form="torchscript")
    found = _blocks(RMVPE, exports / "hubert.pt", exports / "voice.ts")
    assert np.abs(found).max() > 0.01
    np.testing.assert_array_equal(found, _blocks(RMVPE, hubert, voice))


def test_a_program_of_somebody_else_is_refused(
    write_models: Callable[[Path], None], tmp_path: Path
) -> None:
    """As the voice, and as the encoder; nothing is loaded then."""
    write_models(tmp_path)
    program = tmp_path / "voice.pt"
    net = torch.nn.Linear(2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls TorchScript deprecated
        torch.jit.save(torch.jit.trace(net, torch.ones(1, 2)), program)  # pyright: ignore[reportArgumentType]
    hubert, voice = tmp_path / "hubert.safetensors", tmp_path / "voice.pth"
    for files in ((program, voice), (hubert, program)):
        handle = RvcVoice(_config(DIO))
        with pytest.raises(VoicegraphError) as caught:
            handle.load(str(files[0]), str(files[1]), None)
        assert "a TorchScript program, which contains code" in str(caught.value)
        with pytest.raises(VoicegraphError, match="has failed"):
            handle.running()

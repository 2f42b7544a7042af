"""A forgotten argument is named, with a line that can be typed."""

from __future__ import annotations

import pytest

from .conftest import Cli


@pytest.mark.parametrize(
    ("typed", "missing", "example"),
    [
        ("run world in.wav", "argument 'OUTPUT'", "run world in.wav out.wav"),
        ("run world", "arguments 'INPUT', 'OUTPUT'", "run world in.wav out.wav"),
        ("run in.wav out.wav", "argument 'PIPELINE'", "run world in.wav out.wav"),
        ("run world in.wav --set a=b", "argument 'OUTPUT'", "run world in.wav out.wav"),
        ("run", "arguments 'PIPELINE', 'INPUT', 'OUTPUT'", "run world in.wav out.wav"),
        ("convert a.pth", "argument 'OUT.safetensors'", "convert a.pth voice.safetensors"),
        ("voice make rec", "argument 'OUT.safetensors'", "voice make rec voice.safetensors"),
        ("replay", "argument 'FILE.jsonl'", "replay session.jsonl"),
        ("draw", "argument 'PIPELINE'", "draw world"),
        ("live", "argument 'PIPELINE'", "live world"),
    ],
)
def test_missing_argument_is_named(cli: Cli, typed: str, missing: str, example: str) -> None:
    code, _, err = cli(*typed.split())
    assert code == 2
    assert f"Missing {missing}. Example: voicegraph {example}\n" in err


def test_other_usage_errors_stay(cli: Cli) -> None:
    code, _, err = cli("run", "world", "in.wav", "out.wav", "--sett", "a=b")
    assert code == 2
    assert "No such option: --sett" in err
    assert "--set' requires an argument" in cli("run", "world", "in.wav", "--set")[2]

"""Names that no file can have, and names that are hard to print, give messages in every command."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from .conftest import Cli

LONG = "x" * 5000
COMMANDS = [
    ["check", "{}"],
    ["check", "{}.yaml"],
    ["explain", "{}"],
    ["draw", "{}"],
    ["diff", "world", "{}"],
    ["run", "{}", "in.wav", "out.wav"],
    ["run", "world", "{}.wav", "out.wav"],
    ["run", "world", "in.wav", "{}.wav"],
    ["run", "world", "in.wav", "{}/out.wav"],
    ["run", "world", "in.wav", "out.wav", "--tap", "voice={}.npz"],
    ["run", "world", "in.wav", "out.wav", "--record", "{}.jsonl"],
    ["inspect", "{}"],
    ["convert", "{}", "made.safetensors"],
    ["replay", "{}"],
    ["check", "world", "--set", "{}=5"],
    ["check", "world", "--set", "vars.{}=5"],
    ["check", "world", "--set", "vars.rate={}"],
    ["check", "world", "--set", "nodes.f0.use={}"],
    ["check", "world", "--profile", "{}"],
    ["check", "rvc", "--set", "assets.hubert=h.pt", "--set", "vars.voice={}.pth"],
]
NAMES = {"long": LONG, "surrogate": "\ud800", "NUL": "a\0b", "lines": "a\nb", "byte": "\udcff"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_hard_names_give_messages(command: list[str], name: str, cli: Cli) -> None:
    soundfile.write("in.wav", np.zeros(480, np.float32), 48000)
    code, out, err = cli(*[part.replace("{}", name) for part in command])
    assert code in (0, 1, 2, 3, 4, 7)
    assert (out + err).strip()

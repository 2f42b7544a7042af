"""``voicegraph nodes``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.graph import registry
from voicegraph.nodes import BUILTIN
from voicegraph.schemas.report import NodesReport

Cli = Callable[..., tuple[int, str, str]]
OWN = '''
from voicegraph import Audio, In, Node, Out, register

@register("mine.copy")
class Copy(Node):
    """Copies what comes."""

    audio = In(Audio)
    out = Out(Audio, like="audio")
'''


def test_all_nodes_are_listed(cli: Cli) -> None:
    code, out, err = cli("nodes")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert set(BUILTIN) <= {row[0] for row in rows if row}
    harvest = next(row for row in rows if row[:1] == ["f0.harvest"])
    assert harvest[1] == "F0Estimator"
    assert "cannot be loaded" not in out
    assert max(len(line) for line in out.splitlines()) <= 110


def test_family_lists_its_nodes(cli: Cli) -> None:
    code, out, _ = cli("nodes", "pitch")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:] if line[0] != " "] == [
        "pitch.auto",
        "pitch.autotune",
        "pitch.cache",
        "pitch.register",
        "pitch.smooth",
    ]


def test_one_node_is_described(cli: Cli) -> None:
    code, out, _ = cli("nodes", "dsp.gain")
    assert code == 0
    assert out.startswith("dsp.gain\n\nMultiplies audio by a gain that may change while it runs.\n")
    assert "db      number, dB  -120 .. 60  0.0      (live) Gain in dB.\n" in out
    assert "runs on   cpu, cuda   (float32)\n" in out
    assert "chunking  exact: " in out
    assert out.endswith("  my_gain: {use: dsp.gain, in: NODE}\n")


def test_example_has_inputs_and_required_params(cli: Cli) -> None:
    out = cli("nodes", "world.synthesize")[1]
    assert out.endswith(
        "  my_synthesize:\n"
        "    use: world.synthesize\n"
        "    in: {pitch: NODE, envelope: NODE, aperiodicity: NODE}\n"
        "    params: {rate: VALUE}\n"
    )


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_node_can_be_described(cli: Cli, name: str) -> None:
    code, out, _ = cli("nodes", name)
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 110
    assert "``" not in out


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("dsp.gian", "dsp.gain"),
        ("fo.harvest", "f0.harvest"),
        ("DSP.GAIN", "dsp.gain"),
        ("x", ""),
        ("dsp.nothing_like", ""),
    ],
)
def test_unknown_node_is_reported(cli: Cli, name: str, fix: str) -> None:
    code, out, err = cli("nodes", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"no node is called {name}\n    families: content, dsp, f0, ")
    assert f"fix: voicegraph nodes {fix}".rstrip() in err


def test_json_is_a_nodes_report(cli: Cli) -> None:
    code, out, _ = cli("nodes", "dsp", "--json")
    assert code == 0
    found = NodesReport.model_validate_json(out).nodes
    assert [info.name for info in found] == [name for name in sorted(BUILTIN) if "dsp" in name]


def test_nodes_of_a_file_on_the_command_line(cli: Cli, place: Path) -> None:
    (place / "own.py").write_text(OWN, encoding="utf-8")
    with registry.isolated():
        code, out, _ = cli("--nodes-file", "own.py", "nodes", "mine.copy")
    assert code == 0
    assert out.startswith("mine.copy\n\nCopies what comes.\n")


def test_broken_nodes_file_is_reported(cli: Cli, place: Path) -> None:
    (place / "own.py").write_text("1 / 0\n", encoding="utf-8")
    code, _, err = cli("--nodes-file", "own.py", "nodes")
    assert code == 2
    assert "own.py failed while it was read: ZeroDivisionError" in err

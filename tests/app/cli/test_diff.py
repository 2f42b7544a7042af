"""``voicegraph diff``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voicegraph.schemas.diff_report import DiffReport

Cli = Callable[..., tuple[int, str, str]]


def test_two_files_are_compared(cli: Cli, place: Path) -> None:
    text = (place / "good.yaml").read_text(encoding="utf-8")
    (place / "other.yaml").write_text(
        text.replace(
            "use: dsp.gain, in: input, params", "use: dsp.delay, in: input, params"
        ).replace("{db: $db}", "{time: 5ms}", 1),
        encoding="utf-8",
    )
    code, out, err = cli("diff", "good.yaml", "other.yaml")
    assert (code, err) == (0, "")
    assert out.startswith("good.yaml  ->  other.yaml\n")
    assert "  ~ low  dsp.gain -> dsp.delay\n" in out


def test_overrides_apply_to_the_second(cli: Cli) -> None:
    code, out, _ = cli("diff", "good.yaml", "--set", "vars.db=-3", "--profile", "quiet")
    assert code == 0
    assert out.startswith("good.yaml  ->  good.yaml with vars.db=-3, profile quiet\n")
    assert "  low.db  -6.0  ->  -3.0\n" in out


def test_set_both_applies_to_both(cli: Cli) -> None:
    code, out, _ = cli("diff", "good.yaml", "--set-both", "vars.db=-3", "--set", "vars.db=-4")
    assert code == 0
    assert "  low.db  -3.0  ->  -4.0\n" in out


def test_swapped_node_is_listed(cli: Cli) -> None:
    out = cli("diff", "world", "--set", "nodes.f0.use=f0.harvest")[1]
    assert "  ~ f0  f0.dio -> f0.harvest\n" in out


def test_equal_plans_are_the_same(cli: Cli) -> None:
    code, out, _ = cli("diff", "good.yaml")
    assert (code, out) == (0, "good.yaml  ->  good.yaml\n\nThe plans are the same.\n")


def test_measured_costs_are_listed(cli: Cli) -> None:
    code, out, _ = cli(
        "diff", "good.yaml", "--set", "nodes.off.enabled=true",
        "--measure", "--seconds", "0.1", "--json",
    )  # fmt: skip
    assert code == 0
    report = DiffReport.model_validate_json(out)
    assert report.cost is not None
    cost = {entry.node: (entry.before_ms, entry.after_ms) for entry in report.cost}
    assert list(cost) == ["low", "off", "total"]
    assert cost["off"][0] is None
    assert all(value is None or value > 0 for pair in cost.values() for value in pair)


def test_errors_of_the_second_are_reported(cli: Cli) -> None:
    code, out, err = cli("diff", "good.yaml", "bad.yaml")
    assert (code, out) == (2, "")
    assert "6 problems" in err


def test_seconds_out_of_range_are_refused(cli: Cli) -> None:
    code, _, err = cli("diff", "good.yaml", "--measure", "--seconds", "0")
    assert code == 2
    assert "--seconds" in err

"""Budget, learning rate schedule and checkpoints of the training loop."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from voicegraph.training.common.training_loop import (
    Budget,
    Stateful,
    TrainingLoop,
    learning_rate_factor,
)


class Loop(TrainingLoop[float]):
    """One weight that grows by the progress of each step."""

    validate_every = 2

    def __init__(self, folder: Path, steps: int) -> None:
        super().__init__("test", Budget(1.0, steps), folder / "checkpoint.pt")
        self.layer = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.layer.weight)
        self.validated: list[tuple[int, float | None]] = []
        self.restore()

    def parts(self) -> Mapping[str, Stateful]:
        return {"layer": self.layer}

    def optimize(self, progress: float) -> float:
        if self.step == 2:
            self.at_third_step()
        with torch.no_grad():
            self.layer.weight += 1
        return progress

    def at_third_step(self) -> None:
        """Replaced by tests."""

    def remark(self, outcome: float) -> str:
        return f"{outcome:.1f}"

    def validate_and_log(self, outcome: float | None) -> dict[str, float]:
        self.validated.append((self.step, outcome))
        return {"weight": float(self.layer.weight.item())}


def test_runs_the_budget_and_validates(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 5)
    assert loop.run() == {"weight": 5.0}
    assert loop.validated == [(2, 0.2), (4, 0.6), (5, None)]
    assert Loop(tmp_path, 5).step == 5


def test_ctrl_c_finishes_the_step_and_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(tmp_path, 5)
    monkeypatch.setattr(loop, "at_third_step", lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    resumed = Loop(tmp_path, 5)
    assert (resumed.step, resumed.layer.weight.item()) == (3, 3.0)
    assert resumed.run() == {"weight": 5.0}
    assert resumed.seconds >= loop.seconds


def test_only_the_main_process_saves(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 1)
    loop.is_main = False
    loop.run()
    assert list(tmp_path.iterdir()) == []


def test_budget_counts_steps_or_minutes() -> None:
    assert Budget(2.0).progress(99, 60) == 0.5
    assert Budget(2.0, 100).progress(50, 10_000) == 0.5


def test_learning_rate_warms_up_and_decays() -> None:
    assert learning_rate_factor(0, 0.0) == pytest.approx(0.01)
    assert learning_rate_factor(99, 0.1) == learning_rate_factor(500, 0.3) == 1.0
    assert learning_rate_factor(5000, 0.65) == pytest.approx(0.525)
    assert learning_rate_factor(9000, 1.0) == pytest.approx(0.05)

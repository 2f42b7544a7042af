"""The step train: the encoder learns to give at once what the teacher gives when it has heard all.

The student begins as the teacher. It goes through a stream as ``content.streaming`` does; every
fourth step it hears whole pieces, so that it serves for files, too. It is asked for the teacher's
features (mean square error by their variance), for the phones that the teacher's last block hears
in them (Kullback-Leibler divergence), and in synthetic speech for the phone that is said (cross
entropy, by a layer of its own that is thrown away).

Sources: knowledge distillation, G. Hinton et al., 2015; a streaming encoder that is a whole one,
too: J. Yu et al., "Dual-mode ASR", ICLR 2021.
"""

from __future__ import annotations

import copy
import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.schemas.phonetic_card import LAYER
from voicegraph.training.common.interrupts import held_back
from voicegraph.training.common.jobs import Tell, bar
from voicegraph.training.voice.train import Budget, schedule
from voicegraph.training.voice.workdir import write_whole

from ._dataset import Material, Utterance
from ._distillation_loss import Lesson, Losses
from ._distributed import Crew
from ._validation import Judge
from ._workdir import Place

PIECES, FRAMES = 5, 250
"""A batch of each process: 5 pieces of 5 s."""
_WHOLE_EVERY = 4
_RATE = 4e-4
_CLIP = 1.0
_EVERY = 100
"""Steps between checkpoints."""
_JUDGED = 300
"""Steps between judgements on held-out readers."""


class Training:
    """A training that may be interrupted at any moment.

    Args:
        place: of the encoder; a checkpoint there is gone on from.
        material: to learn from.
        held_out: to judge by.
        teacher: what the student begins as, and learns from.
        crew: the processes that train together.
        budget: how long.
        pieces: in a batch of each process.
        frames: of 20 ms in a piece.

    Attributes:
        student: the encoder. Only its first blocks are trained, those that features come from.
        step: steps done.
        core_seconds: they took of all cores together.
    """

    def __init__(
        self,
        place: Place,
        material: Material,
        held_out: list[Utterance],
        teacher: PhoneticNetwork,
        crew: Crew,
        budget: Budget,
        pieces: int = PIECES,
        frames: int = FRAMES,
    ) -> None:
        self.pieces, self.frames = pieces, frames
        self.place, self.material = place, material
        self.crew, self.budget = crew, budget
        self.lesson = Lesson(teacher, material, material.seed)
        self.judge = Judge(self.lesson.phones, held_out, self.lesson.mean, self.lesson.spread)
        self.student = copy.deepcopy(teacher)
        learned = (self.student.stem, *self.student.blocks[:LAYER], self.lesson.symbols)
        self.learned = [p.requires_grad_() for part in learned for p in part.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.learned, lr=_RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.step, self.seconds, self.core_seconds = 0, 0.0, 0.0
        if place.checkpoint.exists():
            self._restore()

    def run(self) -> dict[str, float]:
        """Trains to the end of the budget; how held-out readers are heard. Ctrl-C loses nothing."""
        try:
            self._train()
        except KeyboardInterrupt:
            self._save()
            raise
        self._save()
        return self._judge(None)

    def _train(self) -> None:
        done = self.budget.progress(self.step, self.seconds)
        with self._bar(done) as tell:
            while done < 1:
                with held_back():
                    losses = self._timed_step(done)
                done = self.crew.agreed(self.budget.progress(self.step, self.seconds))
                tell(f"step {self.step}, {_told(losses)}", round(1000 * min(done, 1)))
                if self.step % _JUDGED == 0:
                    self._judge(losses)
                if self.step % _EVERY == 0:
                    self._save()

    def _bar(self, done: float) -> AbstractContextManager[Tell]:
        """One of the crew tells for all."""
        quiet: AbstractContextManager[Tell] = nullcontext(lambda _remark, _done: None)
        return bar("train", 1000, round(1000 * done)) if self.crew.first else quiet

    def _timed_step(self, done: float) -> Losses:
        """One step; its time counts towards the budget, that of judging does not."""
        start, computed = time.monotonic(), time.process_time()
        for group in self.optimizer.param_groups:
            group["lr"] = _RATE * schedule(self.step, done)
        batch = self.material.batch(self.step, self.crew.part, self.pieces, self.frames)
        with torch.autocast(self.crew.device.type, torch.bfloat16):
            whole = self.step % _WHOLE_EVERY == _WHOLE_EVERY - 1
            losses = self.lesson.losses(self.student, batch, whole)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.crew.average(self.learned)
        nn.utils.clip_grad_norm_(self.learned, _CLIP)
        self.optimizer.step()
        self.step += 1
        self.seconds += time.monotonic() - start
        self.core_seconds += (time.process_time() - computed) * self.crew.size
        return losses

    def _judge(self, losses: Losses | None) -> dict[str, float]:
        if not self.crew.first:
            return {}
        found = self.judge.judged(self.student)
        line: dict[str, Any] = {"step": self.step, "seconds": round(self.seconds), **found}
        if losses is not None:
            line["training"] = _told(losses)
        with self.place.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return found

    def _save(self) -> None:
        if not self.crew.first:
            return
        held: dict[str, Any] = {
            "student": self.student.state_dict(),
            "symbols": self.lesson.symbols.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "core_seconds": self.core_seconds,
        }

        def write(path: Path) -> None:
            torch.save(held, path)

        write_whole(self.place.checkpoint, write)

    def _restore(self) -> None:
        held = torch.load(self.place.checkpoint, map_location=self.crew.device, weights_only=True)
        self.student.load_state_dict(held["student"])
        self.lesson.symbols.load_state_dict(held["symbols"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.step, self.seconds = held["step"], held["seconds"]
        self.core_seconds = held["core_seconds"]


def _told(losses: Losses) -> str:
    numbers = (losses.error, losses.phones, losses.symbols)
    return " ".join(f"{float(one.detach()):.3f}" for one in numbers)

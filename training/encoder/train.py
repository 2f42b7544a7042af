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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_parallel import LIVE, features
from voicegraph.schemas.phonetic_card import LAYER
from voicegraph.voices.interrupts import held_back
from voicegraph.voices.jobs import bar
from voicegraph.voices.train import Budget, schedule
from voicegraph.voices.workplace import write_whole

from .crew import Crew
from .judge import Judge
from .material import KOKORO_SYMBOLS, UNKNOWN, Batch, Material, Utterance
from .places import Place

STREAM = replace(LIVE, stride=5)
"""As the node goes through a stream, but five frames at once."""
PIECES, FRAMES = 5, 250
"""A batch of each process: 5 pieces of 5 s."""
_SETTLING = 10
"""Frames at the beginning of a piece that are not judged: what came before is missing."""
_WHOLE_EVERY = 4
_NEWEST = (0.3, 0.4, 0.5, 0.7, 1.0)
"""How much frames count, from the one that is heard longest to the one that is asked for."""
_PHONES, _SYMBOLS = 0.3, 0.1
"""Weights of divergence and cross entropy beside the error of the features."""
_RATE = 4e-4
_CLIP = 1.0
_EVERY = 100
"""Steps between checkpoints."""
_JUDGED = 300
"""Steps between judgements on held-out readers."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one step: the features' error, the phones' divergence, the symbols' cross entropy."""

    error: torch.Tensor
    phones: torch.Tensor
    symbols: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """What is made small."""
        return self.error + _PHONES * self.phones + _SYMBOLS * self.symbols


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
        self.mean, self.spread = (one.to(crew.device) for one in (material.mean, material.spread))
        self.judge = Judge(self.phones, held_out, self.mean, self.spread)
        self.teacher, self.crew, self.budget = teacher, crew, budget
        self.student = copy.deepcopy(teacher)
        torch.manual_seed(material.seed)
        self.symbols = nn.Linear(teacher.sizes.hidden, KOKORO_SYMBOLS).to(crew.device)
        learned = (self.student.stem, *self.student.blocks[:LAYER], self.symbols)
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
        with bar("train", 1000, round(1000 * done)) as tell:
            while done < 1:
                with held_back():
                    losses = self._timed_step(done)
                done = self.crew.agreed(self.budget.progress(self.step, self.seconds))
                tell(f"step {self.step}, {_told(losses)}", round(1000 * min(done, 1)))
                if self.step % _JUDGED == 0:
                    self._judge(losses)
                if self.step % _EVERY == 0:
                    self._save()

    def _timed_step(self, done: float) -> Losses:
        """One step; its time counts towards the budget, that of judging does not."""
        start, computed = time.monotonic(), time.process_time()
        for group in self.optimizer.param_groups:
            group["lr"] = _RATE * schedule(self.step, done)
        batch = self.material.batch(self.step, self.crew.part, self.pieces, self.frames)
        with torch.autocast(self.crew.device.type, torch.bfloat16):
            losses = self._losses(batch, whole=self.step % _WHOLE_EVERY == _WHOLE_EVERY - 1)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.crew.average(self.learned)
        nn.utils.clip_grad_norm_(self.learned, _CLIP)
        self.optimizer.step()
        self.step += 1
        self.seconds += time.monotonic() - start
        self.core_seconds += (time.process_time() - computed) * self.crew.size
        return losses

    def _losses(self, batch: Batch, whole: bool) -> Losses:
        audio, target, phones = (
            found.to(self.crew.device) for found in (batch.audio, batch.target, batch.phones)
        )
        counts = torch.ones(1, 1, device=audio.device)
        if whole:
            found = self.student(audio, LAYER)[:, :-1]
        else:
            made = features(self.student, audio, LAYER, STREAM)
            counts = audio.new_tensor(_NEWEST).repeat(made.shape[1])[STREAM.ahead :][None]
            found = made.flatten(1, 2)[:, STREAM.ahead :].float()
        frames = found.shape[1]
        judged = slice(_SETTLING, frames - _SETTLING if whole else frames)
        counts = counts.expand(len(audio), frames)[:, judged]
        found, target, phones = (one[:, :frames][:, judged] for one in (found, target, phones))
        error = ((found - target) / self.spread).square().mean(-1)
        with torch.no_grad():
            wanted = self.phones(target)
        divergence = (wanted.exp() * (wanted - self.phones(found))).sum(-1)
        said = self.symbols((found - self.mean) / self.spread)
        entropy = functional.cross_entropy(
            said.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        )
        count = (phones != UNKNOWN).sum().clamp_min(1)
        return Losses(_mean(error, counts), _mean(divergence, counts), entropy / count)

    def phones(self, found: torch.Tensor) -> torch.Tensor:
        """What the teacher's last block hears in features: natural logarithms of probabilities."""
        x = found
        for block in self.teacher.blocks[LAYER:]:
            x = block(x, 0, x.shape[1])
        return self.teacher.head(x).float().log_softmax(-1)

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
            "symbols": self.symbols.state_dict(),
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
        self.symbols.load_state_dict(held["symbols"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.step, self.seconds = held["step"], held["seconds"]
        self.core_seconds = held["core_seconds"]


def _mean(found: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (found * counts).sum() / counts.sum()


def _told(losses: Losses) -> str:
    numbers = (losses.error, losses.phones, losses.symbols)
    return " ".join(f"{float(one.detach()):.3f}" for one in numbers)

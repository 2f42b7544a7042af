"""What a run tells while it runs; whoever shows it overrides what it wants to show."""

from __future__ import annotations

from ..engines.engine import Note
from ..engines.schedule import TaskProgress
from ..task import Outcome, Task


class Listener:
    """Hears of a run in the driver's process. This one does nothing."""

    def stage(self, name: str) -> None:
        """Something begins that is no task, such as writing tables."""

    def progress(self, progress: TaskProgress, seconds_left: float, what: str = "") -> None:
        """How far the tasks are; called now and then.

        Args:
            progress: how far.
            seconds_left: until they are done.
            what: names tasks that are not those of the experiment.
        """

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A task ended."""

    def noted(self, note: Note) -> None:
        """The engine has something to say."""

    def stopping(self) -> None:
        """Ctrl-C was pressed: what runs is finished."""

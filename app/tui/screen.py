"""The terminal screen of a live session. Imports Textual: only ``run_screen.py`` imports this."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Any

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.files.voice_library import entries
from voicegraph.graph.live.protocol import ShownSession
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Talk,
)

from ..control.command_queue import CommandQueue
from ..control.service import FILES, SLOW, run_to_end
from ._choice_page import ChoicePage
from ._footer import HelpPage, KeyBar, MessagePanel
from ._formatting import error_line
from ._node_list import NodeList
from ._panel import Panel, ScreenState, SelectableList
from ._param_list import ParamHint, ParamList, ValueEntry
from ._param_steps import parse_typed, stepped
from ._status_lines import Overview

_POLL_S = 0.1


class LiveScreen(App[None]):
    """Shows a session and sends it the commands of keys. Exits when the session has stopped.

    Args:
        live: the session.

    Attributes:
        commands: runs quick commands.
        slow_commands: runs those that swap nodes, which take seconds, one after another.
        file_commands: runs those that open files.
    """

    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]
    CSS = """
    Screen { background: #0f141a; }
    Overview { height: 8; }
    Horizontal { height: 1fr; min-height: 2; }
    NodeList { width: 1fr; margin-right: 1; }
    ParamList { width: 1fr; }
    ParamHint, KeyBar, ValueEntry { height: 1; }
    ValueEntry, ValueEntry:focus { background: #2b3a4d; color: #e6ebf1; padding: 0 1; }
    MessagePanel { height: 4; }
    Screen.-tall Overview { height: 10; }
    Screen.-tall MessagePanel { height: 6; }
    """
    BINDINGS = [
        Binding("t", "talk", "Talk"),
        Binding("m", "mute", "Mute"),
        Binding("d", "monitor", "Monitor"),
        Binding("v", "variant", "Variant"),
        Binding("b", "bypass", "Bypass"),
        Binding("p", "profile", "Profile"),
        Binding("o", "voice", "Voice"),
        Binding("r", "record", "Record"),
        Binding("k", "mark", "Mark"),
        Binding("question_mark", "help", "Help"),
        Binding("q", "stop", "Stop"),
        Binding("ctrl+c,ctrl+q", "stop_now", "Stop", priority=True),
        Binding("escape", "cancel", "Cancel", priority=True),
    ]

    def __init__(self, live: ShownSession) -> None:
        super().__init__()
        self.live = live
        self.state = ScreenState(live.status())
        execute = partial(run_to_end, live)
        self.commands = CommandQueue(execute, "voicegraph-keys")
        self.slow_commands = CommandQueue(execute, "voicegraph-slow-keys")
        self.file_commands = CommandQueue(execute, "voicegraph-take-keys")
        self._unanswered: list[tuple[str, Any, Future[None]]] = []
        self.param_list = ParamList(self.state)
        self.node_list = NodeList(self.state)
        self.entry = ValueEntry()
        self.hint = ParamHint(self.state, lambda: self.param_list.param)

    def compose(self) -> ComposeResult:
        """The parts from top to bottom."""
        yield Overview(self.state)
        with Horizontal():
            yield self.node_list
            yield self.param_list
        yield self.hint
        yield self.entry
        yield MessagePanel(self.state)
        yield KeyBar(self.state)

    def on_mount(self) -> None:
        """Starts polling the status."""
        (self.param_list if self.state.status.params else self.node_list).focus()
        self.set_interval(_POLL_S, self.poll)

    def on_unmount(self) -> None:
        """Cancels the commands that have not begun."""
        for queue in (self.commands, self.slow_commands, self.file_commands):
            queue.close()

    def poll(self) -> None:
        """Takes the newest status and shows it.

        Runs ten times a second in the engine's process, so it must stay cheap.
        """
        self._take_answers()
        stopped = self.live.stopped.is_set()
        try:
            self.state.update(self.live.status())
        except VoicegraphError as error:
            self.state.log.add(error_line(error), "bad")
        self.redraw()
        if stopped:
            self.exit()

    def redraw(self) -> None:
        """Every part draws its changed lines."""
        if not self.screen_stack:  # the timer fires once more while the app closes
            return
        for panel in self.screen_stack[0].query(Panel):
            panel.draw()

    # ---- keys ---------------------------------------------------------------------------------

    def action_talk(self) -> None:
        """Presses the talk key, which stays down until the next call, or releases it."""
        on = not self._requested("talk", self.state.status.talking)
        # In a session without push-to-talk, the session itself refuses the command.
        self._send("talk", on, Talk(on=on))

    def action_mute(self) -> None:
        """Mutes or unmutes the output."""
        on = not self._requested("mute", self.state.status.muted)
        self._send("mute", on, Mute(on=on))

    def action_monitor(self) -> None:
        """Switches the monitor (the dry input beside the output) on or off."""
        on = not self._requested("monitor", self.state.status.monitor)
        self._send("monitor", on, Monitor(on=on))

    def action_record(self) -> None:
        """Begins a take, or ends it."""
        on = not self._requested("record", self.state.status.take is not None)
        self._send("record", on, Record(on=on))

    def action_mark(self) -> None:
        """Puts a mark into the take."""
        take = self.state.status.take
        if take is not None:
            self.state.log.add(f"mark at {take.seconds:.1f} s of {take.name}", "muted")
        self._send("mark", None, Mark())

    def action_variant(self) -> None:
        """Switches to the other variant."""
        self._send("variant", None, ChooseVariant())

    def action_bypass(self) -> None:
        """Bypasses the selected node, or the node of the selected param, or ends its bypass."""
        name = self.node_list.selected
        if self.param_list.has_focus and self.param_list.selected is not None:
            name = self.param_list.selected.rpartition(".")[0]
        node = next((node for node in self.state.status.nodes if node.name == name), None)
        if node is None:
            return
        on = not self._requested(f"bypass {name}", node.bypassed)
        self.state.log.add(f"switching {node.name} {'off' if on else 'on'}", "muted")
        self._send(f"bypass {name}", on, Bypass(node=node.name, on=on))

    def action_profile(self) -> None:
        """Opens the list of the pipeline's profiles."""
        status = self.state.status
        profiles = status.profiles
        if not profiles:
            self.state.log.add("the pipeline has no profiles", "muted")
            self.redraw()
            return

        active = status.active_profiles

        def chosen(number: int | None) -> None:
            if number is None:
                return
            name = profiles[number - 1] if number else None
            text = f"switching to {f'profile {name}' if name else 'no profile'}"
            self.state.log.add(text, "muted")
            self._send("profile", name, ChooseProfile(name=name))

        marked = [not active, *(name in active for name in profiles)]
        self.push_screen(ChoicePage("Profile", ["no profile", *profiles], marked, "p"), chosen)

    def action_voice(self) -> None:
        """Opens the list of the library's voices."""
        voices = [entry for entry in entries().values() if entry.card.is_voice]
        now = self.state.status.voice

        def chosen(number: int | None) -> None:
            if number is None:
                return
            name = voices[number].name
            self.state.log.add(f"changing to the voice {name}", "muted")
            self._send("voice", name, ChooseVoice(name=name))

        names = [f"{entry.name}   {entry.card.title}" for entry in voices]
        marked = [entry.name == now for entry in voices]
        self.push_screen(ChoicePage("Voice", names, marked, "o"), chosen)

    def action_help(self) -> None:
        """Shows all keys."""
        self.push_screen(HelpPage())

    def action_cancel(self) -> None:
        """Closes the help page and the value entry."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        self._close_entry()

    def action_stop(self) -> None:
        """Asks the session to stop; the screen exits when it has stopped."""
        self.state.stopping = True
        self.live.request_stop()
        self.redraw()

    def action_stop_now(self) -> None:
        """Asks the session to stop; the second time, exits without waiting for it."""
        if self.state.stopping:
            self.exit()
        else:
            self.action_stop()

    # ---- params -------------------------------------------------------------------------------

    def on_selectable_list_selection_changed(
        self, message: SelectableList.SelectionChanged
    ) -> None:
        """Describes the selected param."""
        self.hint.draw()

    def on_param_list_step_requested(self, message: ParamList.StepRequested) -> None:
        """Sets the param to the value some steps away."""
        param = message.param
        try:
            value = stepped(param, self._requested(param.name, param.value), message.steps)
        except VoicegraphError as error:
            self._show_error(error)
        else:
            self._send(param.name, value, SetParam(param=param.name, value=value))

    def on_param_list_entry_requested(self, message: ParamList.EntryRequested) -> None:
        """Opens the value entry."""
        self.entry.open(message.param, message.typed)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Sets the param to the typed value."""
        param = self.entry.param
        self._close_entry()
        if param is None or not event.value.strip():
            return
        try:
            value = parse_typed(param, event.value)
        except VoicegraphError as error:
            self._show_error(error)
        else:
            self._send(param.name, value, SetParam(param=param.name, value=value))

    def _close_entry(self) -> None:
        if self.entry.display:
            self.entry.close()
            self.param_list.focus()

    # ---- commands -----------------------------------------------------------------------------

    def _requested(self, key: str, value: Any) -> Any:
        """The value of the newest command without an answer; otherwise ``value``."""
        return self.state.pending.get(key, value)

    def _send(self, key: str, value: Any, command: LiveCommand) -> None:
        """Queues a command that changes ``key`` to ``value``."""
        self.state.pending[key] = value
        queue = self.slow_commands if isinstance(command, SLOW) else self.commands
        queue = self.file_commands if isinstance(command, FILES) else queue
        self._unanswered.append((key, value, queue.submit(command)))
        self.redraw()

    def _take_answers(self) -> None:
        answered = [entry for entry in self._unanswered if entry[2].done()]
        self._unanswered = [entry for entry in self._unanswered if entry not in answered]
        for key, value, answer in answered:
            if self.state.pending.get(key) == value:
                self.state.pending.pop(key, None)
            if not answer.cancelled() and isinstance(error := answer.exception(), Exception):
                self.state.log.add(error_line(error), "bad")

    def _show_error(self, error: VoicegraphError) -> None:
        self.state.log.add(error_line(error), "bad")
        self.redraw()

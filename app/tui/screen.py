"""The screen of a live session, in a terminal. Imports Textual: only ``tui.py`` imports this."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseVariant,
    LiveCommand,
    Monitor,
    Mute,
    SetParam,
    Talk,
)

from ._command_queue import Asking
from ._help import Help
from ._hint import Entry, Hint
from ._listing import Listing
from ._messages import Keys, Messages
from ._node_list import NodeList
from ._overview import Overview
from ._panel import Panel
from ._param_list import ParamList
from ._param_steps import moved, typed
from ._view import View
from ._wording import refusal

_LOOKS_S = 0.1


class LiveScreen(App[None]):
    """Shows a session and steers it. Ends when the session has ended.

    Args:
        live: the session.
    """

    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]
    CSS = """
    Screen { background: #0f141a; }
    Overview { height: 7; }
    Horizontal { height: 1fr; min-height: 2; }
    NodeList { width: 1fr; margin-right: 1; }
    ParamList { width: 1fr; }
    Hint, Keys, Entry { height: 1; }
    Entry, Entry:focus { background: #2b3a4d; color: #e6ebf1; padding: 0 1; }
    Messages { height: 4; }
    Screen.-tall Overview { height: 9; }
    Screen.-tall Messages { height: 6; }
    """
    BINDINGS = [
        Binding("t", "talk", "Talk"),
        Binding("m", "mute", "Mute"),
        Binding("d", "dry", "Dry"),
        Binding("v", "variant", "Variant"),
        Binding("b", "bypass", "Bypass"),
        Binding("question_mark", "help", "Help"),
        Binding("q", "stop", "Stop"),
        Binding("ctrl+c,ctrl+q", "stop_now", "Stop", priority=True),
        Binding("escape", "back_out", "Back", priority=True),
    ]

    def __init__(self, live: LiveSessionProtocol) -> None:
        super().__init__()
        self.live = live
        self.view = View(live.status())
        self.asking = Asking(live)
        self.param_list = ParamList(self.view)
        self.node_list = NodeList(self.view)
        self.entry = Entry()
        self.hint = Hint(self.view, lambda: self.param_list.param)

    def compose(self) -> ComposeResult:
        """The parts, from above."""
        yield Overview(self.view)
        with Horizontal():
            yield self.node_list
            yield self.param_list
        yield self.hint
        yield self.entry
        yield Messages(self.view)
        yield Keys(self.view)

    def on_mount(self) -> None:
        """Begins to look."""
        (self.param_list if self.view.status.params else self.node_list).focus()
        self.set_interval(_LOOKS_S, self.look)

    def on_unmount(self) -> None:
        """Takes no more keys."""
        self.asking.close()

    def look(self) -> None:
        """Takes a status and shows it. Runs ten times a second beside the engine: no heavy work."""
        for answer in self.asking.answers():
            if self.view.wanted.get(answer.key) == answer.value:
                self.view.wanted.pop(answer.key, None)
            if answer.error is not None:
                self.view.log.add(refusal(answer.error), "bad")
        ended = self.live.stopped.is_set()
        try:
            self.view.take(self.live.status())
        except VoicegraphError as error:
            self.view.log.add(refusal(error), "bad")
        self.show()
        if ended:
            self.exit()

    def show(self) -> None:
        """Lets every part draw what has changed."""
        if not self.screen_stack:  # the clock ticks once more while the app is closed
            return
        for panel in self.screen_stack[0].query(Panel):
            panel.draw()

    # ---- keys ---------------------------------------------------------------------------------

    def action_talk(self) -> None:
        """The talk key, which stays down until it is pressed again."""
        on = not self._now("talk", self.view.status.talking)
        # Without a talk key the session says so, whatever is asked.
        self._ask("talk", on, Talk(on=on))

    def action_mute(self) -> None:
        """Mutes, and goes on."""
        on = not self._now("mute", self.view.status.muted)
        self._ask("mute", on, Mute(on=on))

    def action_dry(self) -> None:
        """Monitors the dry input, or not."""
        on = not self._now("monitor", self.view.status.monitor)
        self._ask("monitor", on, Monitor(on=on))

    def action_variant(self) -> None:
        """The other variant."""
        self._ask("variant", None, ChooseVariant())

    def action_bypass(self) -> None:
        """Switches the chosen node off, or on; in the params' list, the node whose param it is."""
        name = self.node_list.chosen
        if self.param_list.has_focus and self.param_list.chosen is not None:
            name = self.param_list.chosen.rpartition(".")[0]
        node = next((node for node in self.view.status.nodes if node.name == name), None)
        if node is None:
            return
        on = not self._now(f"bypass {name}", node.bypassed)
        self.view.log.add(f"switching {node.name} {'off' if on else 'on'}", "muted")
        self._ask(f"bypass {name}", on, Bypass(node=node.name, on=on))

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(Help())

    def action_back_out(self) -> None:
        """Leaves the page of help, or the value that is being typed."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        self._close_entry()

    def action_stop(self) -> None:
        """Asks the session to stop; the screen ends with it."""
        self.view.stopping = True
        self.live.request_stop()
        self.show()

    def action_stop_now(self) -> None:
        """As stop; the second time, the screen does not wait."""
        if self.view.stopping:
            self.exit()
        else:
            self.action_stop()

    # ---- params -------------------------------------------------------------------------------

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Says what is chosen."""
        self.hint.draw()

    def on_param_list_moved(self, message: ParamList.Moved) -> None:
        """A key that moves a param."""
        param = message.param
        try:
            value = moved(param, self._now(param.name, param.value), message.steps)
        except VoicegraphError as error:
            self._refuse(error)
        else:
            self._ask(param.name, value, SetParam(param=param.name, value=value))

    def on_param_list_typed(self, message: ParamList.Typed) -> None:
        """A key that begins a value."""
        self.entry.open(message.param, message.begun)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A value is typed."""
        param = self.entry.param
        self._close_entry()
        if param is None or not event.value.strip():
            return
        try:
            value = typed(param, event.value)
        except VoicegraphError as error:
            self._refuse(error)
        else:
            self._ask(param.name, value, SetParam(param=param.name, value=value))

    def _close_entry(self) -> None:
        if self.entry.display:
            self.entry.close()
            self.param_list.focus()

    # ---- asking -------------------------------------------------------------------------------

    def _now(self, key: str, value: Any) -> Any:
        """What was asked for last, else what is."""
        return self.view.wanted.get(key, value)

    def _ask(self, key: str, value: Any, command: LiveCommand) -> None:
        self.view.wanted[key] = value
        self.asking.ask(key, value, command)
        self.show()

    def _refuse(self, error: VoicegraphError) -> None:
        self.view.log.add(refusal(error), "bad")
        self.show()

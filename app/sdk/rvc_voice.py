"""What an ``rvc_handle_t`` stands for: a config, and a session once models are loaded."""

from __future__ import annotations

import threading

from voicegraph.graph.errors import Problem
from voicegraph.graph.pipeline import Pipeline

from .block_session import BlockSession
from .call_errors import HandleError, NotLoadedError
from .rvc_config import RvcConfig
from .session_options import CallerFormat, compile_for

_NEVER = "rvc_load_models() has not been called"
_FAILED = "rvc_load_models() has failed, so no models are loaded"


class RvcVoice:
    """An RVC voice for the ``rvc_*`` functions. Any thread may call any method.

    Args:
        config: how it runs.

    Raises:
        PipelineError: if the config is wrong.
    """

    def __init__(self, config: RvcConfig) -> None:
        config.check()
        self.config = config
        self.block_frames = int(config.block_frames)
        self._session: BlockSession | None = None
        self._missing = _NEVER
        self._closed = False
        self._loads = threading.Lock()  # one load at a time; blocks do not wait for it

    def load(self, hubert: str, synthesizer: str, index: str | None) -> None:
        """Loads models in place of those before, and warms up.

        The models before are let go first, so that two voices never need memory at once.

        Raises:
            VoicegraphError: if a file is missing, damaged or of another kind, or models do not fit
                each other; nothing is loaded then.
        """
        with self._loads:
            self._let_go(_FAILED)
            overrides = self.config.overrides(hubert, synthesizer, index)
            target = CallerFormat(self.config.sample_rate, self.config.channels)
            plan = compile_for(Pipeline.load("rvc", overrides), CallerFormat(), target)
            session = BlockSession(plan)
            self._session = session
            if self._closed:  # rvc_destroy() meanwhile
                self._let_go(_FAILED)
                raise HandleError(Problem("handle", "the handle was closed while models loaded"))

    def running(self) -> BlockSession:
        """The session that processes blocks.

        Raises:
            NotLoadedError: if no models are loaded.
        """
        session = self._session
        if session is None:
            raise NotLoadedError(Problem("not-loaded", self._missing, fix="call rvc_load_models()"))
        return session

    def close(self) -> None:
        """Waits for the block that is being processed, and ends. Safe to call twice."""
        self._closed = True
        self._let_go(_NEVER)

    def _let_go(self, missing: str) -> None:
        self._missing = missing
        session, self._session = self._session, None
        if session is not None:
            session.close()

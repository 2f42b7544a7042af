"""The C interface: what the functions of ``voicegraph.h`` do, and ``voicegraph sdk build``.

The C library (``library/voicegraph.c``, compiled with what cffi generates) calls ``c_functions``;
everything behind it is plain Python. ``include``, ``hosts`` and ``ladspa`` are copied by the build;
they are no part of the package.
"""

__all__ = [
    "block_session",
    "build",
    "c_functions",
    "call_errors",
    "collector",
    "error_message",
    "handles",
    "ladspa",
    "ladspa_table",
    "rvc_config",
    "rvc_voice",
    "session_options",
    "session_status",
]

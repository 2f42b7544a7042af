"""What the routes of the page server call: one topic a file, none of them knows HTTP."""

__all__ = [
    "experiment_pages",
    "jobs",
    "latency_measurements",
    "live_sessions",
    "load_shedding",
    "page_clients",
    "planner",
    "preset_loading",
    "presets",
    "process_identity",
    "services",
    "session_files",
    "session_link",
    "session_process",
    "sound_devices",
    "takes",
    "voices",
]

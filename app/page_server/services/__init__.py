"""What the routes of the page server call: one topic a file, none of them knows HTTP."""

__all__ = [
    "channel_strip",
    "experiment_pages",
    "jobs",
    "latency_measurements",
    "live_sessions",
    "main_controls",
    "page_clients",
    "preset_loading",
    "presets",
    "process_identity",
    "qualities",
    "running_graph",
    "services",
    "session_files",
    "session_link",
    "session_planner",
    "session_process",
    "sound_devices",
    "takes",
    "voices",
]

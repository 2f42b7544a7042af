"""What the routes of the page server call: one topic a file, none of them knows HTTP."""

__all__ = [
    "experiment_pages",
    "file_jobs",
    "large_controls",
    "live_sessions",
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
    "talk_controls",
    "voices",
]

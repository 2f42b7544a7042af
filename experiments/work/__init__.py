"""What tasks do where they run: cut a clip, convert it, observe a sound, measure costs."""

__all__ = [
    "code_identity",
    "command_work",
    "convert_work",
    "cost_work",
    "files",
    "input_work",
    "match",
    "observe_work",
    "pipeline_data",
    "precision_trial",
]

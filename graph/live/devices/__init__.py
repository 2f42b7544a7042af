"""Sound devices: listing, formats, and the streams that PortAudio drives."""

__all__ = [
    "audio_backend",
    "device_format",
    "device_list",
    "host_settings",
    "level_meter",
    "sound_card",
    "stderr_capture",
    "virtual_microphone",
]

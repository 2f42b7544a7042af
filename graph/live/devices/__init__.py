"""Sound devices: listing, formats, and the streams that PortAudio drives."""

__all__ = [
    "audio_backend",
    "device_format",
    "device_list",
    "host_settings",
    "sound_card",
    "stderr_capture",
]

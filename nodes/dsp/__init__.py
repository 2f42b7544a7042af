"""Signal processing on audio streams."""

__all__ = [
    "compressor",
    "delay",
    "denoise",
    "eq",
    "gain",
    "gate",
    "hann_power",
    "highpass",
    "limiter",
    "loudness",
    "mix",
    "param_glide",
    "resample",
    "rms_mix",
    "running_percentile",
    "sola",
    "span_crop",
    "to_mono",
    "to_stereo",
    "voice_prosody",
]

"""The built-in nodes: one a file, by family. Adding one is its file, its line here and its test."""

BUILTIN: dict[str, str] = {
    "dsp.delay": "dsp.delay",
    "dsp.denoise": "dsp.denoise",
    "dsp.gain": "dsp.gain",
    "dsp.gate": "dsp.gate",
    "dsp.highpass": "dsp.highpass",
    "dsp.limiter": "dsp.limiter",
    "dsp.mix": "dsp.mix",
    "dsp.resample": "dsp.resample",
    "dsp.rms_mix": "dsp.rms_mix",
    "dsp.sola": "dsp.sola",
    "dsp.to_mono": "dsp.to_mono",
    "dsp.to_stereo": "dsp.to_stereo",
    "f0.dio": "f0.dio",
    "f0.harvest": "f0.harvest",
    "io.contour": "io.contour",
    "io.noise": "io.noise",
    "io.probe": "io.probe",
    "io.tone": "io.tone",
    "io.vectors": "io.vectors",
    "pitch.cache": "pitch.cache",
    "pitch.smooth": "pitch.smooth",
    "world.analyze": "world.analyze",
    "world.synthesize": "world.synthesize",
}
"""``use:`` name -> module below ``voicegraph.nodes``."""

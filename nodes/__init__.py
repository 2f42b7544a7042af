"""The built-in nodes: one a file, by family. Adding one is its file, its line here and its test."""

BUILTIN: dict[str, str] = {
    "content.hubert": "content.hubert",
    "content.phonetic": "content.phonetic",
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
    "f0.crepe": "f0.crepe",
    "f0.dio": "f0.dio",
    "f0.fcpe": "f0.fcpe",
    "f0.harvest": "f0.harvest",
    "f0.praat": "f0.praat",
    "f0.rmvpe": "f0.rmvpe",
    "f0.swift": "f0.swift",
    "io.contour": "io.contour",
    "io.noise": "io.noise",
    "io.probe": "io.probe",
    "io.tone": "io.tone",
    "io.vectors": "io.vectors",
    "pitch.cache": "pitch.cache",
    "pitch.smooth": "pitch.smooth",
    "retrieval.faiss": "retrieval.faiss",
    "retrieval.protect": "retrieval.protect",
    "synth.rvc": "synth.rvc",
    "synth.source_filter": "synth.source_filter",
    "world.analyze": "world.analyze",
    "world.synthesize": "world.synthesize",
}
"""``use:`` name -> module below ``voicegraph.nodes``."""

FILE_KINDS: dict[str, str] = {
    "voice": "synth.voice_file",
    "content-encoder": "content.encoder_file",
    "phonetic-encoder": "content.phonetic_file",
    "pitch-model": "f0.rmvpe_file",
    "index": "retrieval.index_file",
    "source-filter-voice": "synth.source_filter_file",
}
"""Kind of model file -> module below ``voicegraph.nodes`` that knows it."""

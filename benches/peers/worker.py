#!/usr/bin/env python3
"""One peer engine in a process of its own. compare.py and settings.py start it; a path in on stdin, a line of JSON out.

    worker.py '{"engine": "whisper.cpp", "model": "FILE", "threads": 1}'
    worker.py '{"engine": "faster-whisper", "model": "FOLDER", "threads": 1, "beam": 5}'

Sounds are 16 kHz mono WAV of 16 bits. The first line out is {"ready": true}, once the weights are in memory.
"""
import json
import sys
import wave

import numpy as np

RATE_HZ = 16_000
# One unit of Whisper's audio context.
UNIT_SAMPLES = RATE_HZ // 50
# whisper.cpp gives nothing at all for less than a second.
LEAST_SAMPLES = round(1.1 * RATE_HZ)


def samples_of(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2), path
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    return np.pad(samples, (0, max(0, LEAST_SAMPLES - len(samples))))


def whisper_cpp(how):
    """As the library is when left alone, but for the language; `flash` and `window_margin` are for settings.py."""
    from pywhispercpp.model import Model

    context = {"flash_attn": how["flash"]} if "flash" in how else None
    model = Model(how["model"], n_threads=how["threads"], language="en", print_progress=False, redirect_whispercpp_logs_to=None,
                  context_params=context)

    def hear(samples):
        short = {}
        if "window_margin" in how:
            units = -(-len(samples) // UNIT_SAMPLES) + how["window_margin"]
            short = {"audio_ctx": min(units, 1500), "no_timestamps": True, "single_segment": True}
        return " ".join(segment.text for segment in model.transcribe(samples, **short))

    return hear


def faster_whisper(how):
    from faster_whisper import WhisperModel

    model = WhisperModel(how["model"], device="cpu", compute_type="int8", cpu_threads=how["threads"], local_files_only=True)
    return lambda samples: " ".join(segment.text for segment in model.transcribe(samples, language="en", beam_size=how["beam"])[0])


def main():
    how = json.loads(sys.argv[1])
    hear = {"whisper.cpp": whisper_cpp, "faster-whisper": faster_whisper}[how["engine"]](how)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"text": hear(samples_of(line.strip())).strip()}), flush=True)


if __name__ == "__main__":
    main()

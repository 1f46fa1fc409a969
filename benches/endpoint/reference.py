#!/usr/bin/env python3
"""Prints the numbers that the tests of log_mel.rs and tests/endpoint.rs compare with, made with numpy and onnxruntime.

    reference.py mel                       numbers of the log-mel test
    reference.py turn MODEL.onnx SOUND...  probability that the speaker is done at the end of each sound (16 kHz mono)

Written after openai-whisper's `log_mel_spectrogram` and pipecat's use of Smart Turn; shares no code with the program. Needs numpy, and
for `turn` onnxruntime and soundfile.
"""
import sys

import numpy as np

RATE, WINDOW, HOP, BANDS = 16_000, 400, 160, 80


def mel_of(hertz):
    return np.where(hertz < 1000, 3 * hertz / 200, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) * 27 / np.log(6.4))


def hertz_of(mel):
    return np.where(mel < 15, 200 * mel / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filters():
    corners = hertz_of(np.linspace(0, float(mel_of(np.array(RATE / 2))), BANDS + 2))
    frequencies = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rising = (frequencies[None] - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - frequencies[None]) / (corners[2:] - corners[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (corners[2:] - corners[:-2]))[:, None]


def log_mel(samples):
    padded = np.pad(samples.astype(np.float64), WINDOW // 2, mode="reflect")
    window = np.hanning(WINDOW + 1)[:-1]
    columns = np.stack([padded[at : at + WINDOW] * window for at in range(0, len(samples) // HOP * HOP, HOP)])
    power = np.abs(np.fft.rfft(columns)) ** 2
    logarithm = np.log10(np.maximum(1e-10, filters() @ power.T))
    return ((np.maximum(logarithm, logarithm.max() - 8) + 4) / 4).astype(np.float32)


def chord(samples):
    tone = lambda hertz: np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return (0.3 * tone(220.0) + 0.2 * tone(1370.0) * tone(3.0) + 0.05 * tone(5100.0)).astype(np.float32)


def complete(session, samples):
    heard = samples[-8 * RATE :]
    heard = np.concatenate([np.zeros(8 * RATE - len(heard), np.float32), heard]).astype(np.float32)
    heard = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
    return float(session.run(None, {"input_features": log_mel(heard)[None]})[0][0, 0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["mel"]:
        picture = log_mel(chord(50 * HOP))
        for band, column in [(0, 0), (2, 0), (7, 0), (8, 1), (8, 25), (20, 10), (33, 5), (33, 49), (34, 30), (50, 20), (66, 12), (67, 48), (79, 0), (79, 49)]:
            print(f"({band}, {column}, {picture[band, column]:.6f}),")
    elif sys.argv[1:2] == ["turn"] and len(sys.argv) > 3:
        import onnxruntime
        import soundfile

        session = onnxruntime.InferenceSession(sys.argv[2])
        for path in sys.argv[3:]:
            samples, rate = soundfile.read(path, dtype="float32")
            assert rate == RATE and samples.ndim == 1, f"{path} is not 16 kHz mono"
            print(f"{path}: {complete(session, samples):.6f}; its first 60 %: {complete(session, samples[: len(samples) * 6 // 10]):.6f}")
    else:
        sys.exit(__doc__)

"""Whisper's log-mel picture of a clip, padded with silence to the full window of 30 s."""
from __future__ import annotations

import numpy as np
import torch

RATE_HZ = 16_000
FULL_SAMPLES = 30 * RATE_HZ
FFT_SAMPLES, HOP_SAMPLES = 400, 160
UNIT_SAMPLES = 2 * HOP_SAMPLES
# whisper.cpp hears nothing below about one second; kioskd pads shorter clips with silence to this.
SHORTEST_SAMPLES = 17_600


def log_mel(samples: np.ndarray, filters: torch.Tensor) -> torch.Tensor:
    """samples [n] at 16 kHz, filters [80, 201] -> [80, 3000], a frame each 10 ms."""
    padded = np.zeros(FULL_SAMPLES, np.float32)
    padded[:len(samples)] = samples[:FULL_SAMPLES]
    spectrum = torch.stft(torch.from_numpy(padded), FFT_SAMPLES, HOP_SAMPLES, window=torch.hann_window(FFT_SAMPLES), return_complex=True)
    power = filters @ spectrum[:, :-1].abs().square()
    levels = power.clamp(min=1e-10).log10()
    # The loudest band of the clip sets the floor, 8 decades below it, for the silence after it too.
    return (torch.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0


def own_units(samples: int) -> int:
    """Encoder positions of 20 ms that `samples` fill."""
    return -(-samples // UNIT_SAMPLES)

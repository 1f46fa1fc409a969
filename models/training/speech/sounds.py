"""Sound files as 16 kHz mono samples in [-1, 1]."""
from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from mel import RATE_HZ

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


def load(path: Path) -> np.ndarray:
    """[n] float32, whatever the file's rate and channels are."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples.mean(1), rate, RATE_HZ)


def resample(samples: np.ndarray, rate_from: int, rate_to: int) -> np.ndarray:
    if rate_from == rate_to:
        return samples
    divisor = gcd(rate_from, rate_to)
    return scipy.signal.resample_poly(samples, rate_to // divisor, rate_from // divisor).astype(np.float32)

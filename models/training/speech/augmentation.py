"""Endless training clips made of recordings: joined, cut, in rooms, over telephones, in noise, loud and quiet, and clips without speech."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import scipy.signal
import soundfile

from mel import FULL_SAMPLES, RATE_HZ, SHORTEST_SAMPLES
from recordings import Recording
from sounds import load, resample

# How clips are made, and how often.
KINDS = {"one": 0.66, "two": 0.15, "many": 0.06, "piece": 0.07, "noise": 0.06}
LONGEST_SAMPLES = int(29.5 * RATE_HZ)
TELEPHONE_HZ = 8_000
# How many clips have noise, and by how much the mean energy of speech exceeds that of the noise.
NOISY, NOISE_DB = 0.4, (5.0, 30.0)
# Noise recordings are trained on up to here; what follows is for tests.
NOISE_TRAINING_S = 90


@dataclass(frozen=True)
class Clip:
    """samples [n] float32 at 16 kHz in [-1, 1], and the language that the decoder is told.

    clean [n] is the same before a room, a telephone or noise came in; `said` names the recordings that are in it from end to end, in
    order, and is empty where something else is.
    """

    samples: np.ndarray
    language: str
    made_of: str
    clean: np.ndarray
    said: Tuple[str, ...] = ()


class Augmentation:
    def __init__(self, recordings: List[Recording], shares: Dict[str, float], noise: Optional[Path], rng: np.random.Generator,
                 noisy: float = NOISY, noise_db: Tuple[float, float] = NOISE_DB) -> None:
        self.rng = rng
        self.noisy, self.noise_db = noisy, noise_db
        self.noise_recording = load(noise)[:NOISE_TRAINING_S * RATE_HZ] if noise else None
        self.sources: Dict[str, List[Recording]] = {}
        for recording in recordings:
            self.sources.setdefault(recording.source, []).append(recording)
        self.decks: Dict[str, List[int]] = {source: [] for source in self.sources}
        unknown = set(shares) - set(self.sources)
        if unknown:
            raise SystemExit(f"--share names {', '.join(sorted(unknown))}, but the recordings are of {', '.join(sorted(self.sources))}")
        self.names = sorted(self.sources)
        rest = max(0.0, 1.0 - sum(shares.values())) / max(1, len(self.names) - len(shares))
        weights = np.array([shares.get(name, rest) for name in self.names])
        self.weights = weights / weights.sum()

    def clips(self) -> Iterator[Clip]:
        while True:
            yield self._clip()

    def _clip(self) -> Clip:
        rng = self.rng
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        recording = self._draw(rng.choice(self.names, p=self.weights))
        if kind == "noise":
            size = int(rng.uniform(1.1, 10) * RATE_HZ)
            silent = rng.random() < 0.15
            samples = np.zeros(size, np.float32) if silent else self._noise(size) * 10 ** rng.uniform(-2, 0.3)
            return finished(samples, samples, recording.language, "noise")
        samples, said = self._speech(recording), [recording.key]
        if kind in ("two", "many"):
            # Short clips have room for 30 s of them: whatever is missing is filled with more of the same language.
            target = FULL_SAMPLES if kind == "two" else int(rng.uniform(15, 29) * RATE_HZ)
            for _ in range(1 if kind == "two" else 12):
                gap = np.zeros(int(rng.uniform(0, 0.8) * RATE_HZ), np.float32)
                other = self._draw_in(recording.language)
                following = self._speech(other)
                if len(samples) + len(gap) + len(following) > target:
                    continue
                samples = np.concatenate([samples, gap, following])
                said.append(other.key)
        if kind == "piece" and len(samples) > 3 * RATE_HZ:
            at = rng.integers(0, len(samples) - 2 * RATE_HZ)
            samples, said = samples[at:at + int(rng.uniform(1.1, 6) * RATE_HZ)], []
        echoing = rng.random() < 0.25
        if rng.random() < 0.5:
            samples = np.pad(samples, tuple(int(rng.uniform(0, 1) * RATE_HZ) for _ in range(2)))
        return finished(samples, self._disturbed(samples, echoing), recording.language, f"{kind} {recording.source}", said)

    def _disturbed(self, samples: np.ndarray, echoing: bool) -> np.ndarray:
        """In a room, in noise, over a telephone, louder or quieter, each now and then."""
        rng = self.rng
        if echoing:
            samples = in_a_room(samples, rng)
        if rng.random() < self.noisy:
            noise, decibels = self._noise(len(samples)), rng.uniform(*self.noise_db)
            samples = samples + noise * np.sqrt((samples ** 2).mean() / max(1e-12, (noise ** 2).mean()) / 10 ** (decibels / 10))
        if rng.random() < 0.15:
            samples = over_a_telephone(samples, rng)
        return samples * 10 ** rng.uniform(-1, 0.2)

    def _draw(self, source: str) -> Recording:
        """Goes through a source in random order before anything of it comes again."""
        if not self.decks[source]:
            self.decks[source] = list(self.rng.permutation(len(self.sources[source])))
        return self.sources[source][self.decks[source].pop()]

    def _draw_in(self, language: str) -> Recording:
        speaks = np.array([any(r.language == language for r in self.sources[name][:1]) for name in self.names])
        weights = self.weights * speaks
        return self._draw(self.rng.choice(self.names, p=weights / weights.sum()))

    def _speech(self, recording: Recording) -> np.ndarray:
        try:
            samples = load(recording.path)
        except soundfile.LibsndfileError:
            return np.zeros(SHORTEST_SAMPLES, np.float32)
        if self.rng.random() < 0.2:
            # Slower or faster by up to 8%, with the pitch, as if another person spoke.
            samples = resample(samples, 100, int(self.rng.integers(92, 109)))
        return samples

    def _noise(self, size: int) -> np.ndarray:
        kind = self.rng.choice(["recorded", "white", "pink"], p=[0.6, 0.2, 0.2])
        if kind == "recorded" and self.noise_recording is not None and len(self.noise_recording) > size:
            at = self.rng.integers(len(self.noise_recording) - size)
            return self.noise_recording[at:at + size].copy()
        samples = self.rng.standard_normal(size).astype(np.float32)
        if kind == "pink":
            samples = np.fft.irfft(np.fft.rfft(samples) / np.sqrt(np.arange(1, size // 2 + 2)), size).astype(np.float32)
        return 0.05 * samples / samples.std()


def finished(clean: np.ndarray, samples: np.ndarray, language: str, made_of: str, said: Sequence[str] = ()) -> Clip:
    """Both as long as the disturbed one, which an echo may have made longer, and no longer than the window."""
    samples = np.clip(samples, -1, 1).astype(np.float32)
    if len(samples) > LONGEST_SAMPLES:
        samples, said = samples[:LONGEST_SAMPLES], ()
    size = max(SHORTEST_SAMPLES, len(samples))
    clean = np.clip(clean[:size], -1, 1).astype(np.float32)
    return Clip(np.pad(samples, (0, size - len(samples))), language, made_of, np.pad(clean, (0, size - len(clean))), tuple(said))


def in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With an echo of a made-up room: a few early reflections and a decaying tail; as loud as before."""
    decay_s = rng.uniform(0.15, 0.9)  # to a thousandth of the level (RT60)
    size = int(decay_s * RATE_HZ)
    time_s = np.arange(size) / RATE_HZ
    tail = rng.standard_normal(size) * 10 ** (-3 * time_s / decay_s)
    tail[:int(0.004 * RATE_HZ)] = 0
    for delay_s in rng.uniform(0.004, 0.04, size=6):
        tail[int(delay_s * RATE_HZ)] += rng.choice([-1, 1]) * rng.uniform(2, 6) * 10 ** (-3 * delay_s / decay_s)
    direct_to_echo = 10 ** (rng.uniform(-2, 12) / 20)
    response = tail / np.sqrt((tail ** 2).sum()) / direct_to_echo
    response[0] = 1.0
    wet = scipy.signal.fftconvolve(samples, response)[:len(samples) + size // 2]
    return (wet * np.sqrt((samples ** 2).mean() / max(1e-12, (wet ** 2).mean()))).astype(np.float32)


def over_a_telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At 8 kHz and, mostly, through a telephone's band of 300 to 3,400 Hz."""
    narrow = resample(samples.astype(np.float32), RATE_HZ, TELEPHONE_HZ)
    if rng.random() < 0.7:
        band = scipy.signal.butter(4, [300, 3400], "bandpass", fs=TELEPHONE_HZ, output="sos")
        narrow = scipy.signal.sosfilt(band, narrow).astype(np.float32)
    return resample(narrow, TELEPHONE_HZ, RATE_HZ)

"""The clips that a model is judged on: recordings that were kept back, and harder ones made of them, always the same for a seed."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional

import numpy as np

from augmentation import in_a_room, over_a_telephone
from mel import RATE_HZ, SHORTEST_SAMPLES
from recordings import Recording, held_out_part
from sounds import load

JOINED, ROOM, TELEPHONE, CUT = "joined, 12-29 s", "in a room", "telephone", "cut, 0.3-1 s"
MADE = (JOINED, ROOM, TELEPHONE, CUT)


@dataclass(frozen=True)
class TestClip:
    """samples [n] at 16 kHz, padded as kioskd pads; `text` is None where nobody wrote down what is said."""

    key: str
    kind: str
    language: str
    samples: np.ndarray
    text: Optional[str]


def held_out_clips(recordings: List[Recording], test_only: List[str], counts: Dict[str, int], each: int, seed: int) -> List[TestClip]:
    """`counts` says how many of a source or of a made kind, `each` how many of all others. Sources in `test_only` are taken whole."""
    kept_back = held_out_part([r for r in recordings if r.source not in test_only]) + [r for r in recordings if r.source in test_only]
    clips = []
    for source in sorted({recording.source for recording in kept_back}):
        own = [recording for recording in kept_back if recording.source == source]
        for recording in picked(own, counts.get(source, each), seed, source):
            clips.append(TestClip(recording.key, source, recording.language, padded(load(recording.path)), recording.text))
    english = [r for r in kept_back if r.source not in test_only and r.language == kept_back[0].language] or kept_back
    for kind in MADE:
        clips += made_clips(kind, english, counts.get(kind.split(",")[0].split()[-1], each), seed)
    # Mixed, so that a run that is cut short has heard some of every kind.
    return [clips[i] for i in np.random.default_rng(seed).permutation(len(clips))]


def made_clips(kind: str, recordings: List[Recording], count: int, seed: int) -> List[TestClip]:
    rng = np.random.default_rng([seed, MADE.index(kind)])
    clips = []
    for number in range(count):
        recording = any_of(recordings, rng)
        samples, text = load(recording.path), recording.text
        if kind == JOINED:
            samples, text = joined(recordings, rng)
        elif kind == ROOM:
            samples = in_a_room(samples, rng)
        elif kind == TELEPHONE:
            samples = over_a_telephone(samples, rng)
        else:
            size = int(rng.uniform(0.3, 1.0) * RATE_HZ)
            at = int(rng.integers(max(1, len(samples) - size)))
            samples, text = samples[at:at + size], None
        clips.append(TestClip(f"{kind}/{number}", kind, recording.language, padded(samples), text))
    return clips


def joined(recordings: List[Recording], rng: np.random.Generator) -> "tuple[np.ndarray, Optional[str]]":
    wanted = int(rng.uniform(12, 27) * RATE_HZ)
    samples, texts = np.zeros(0, np.float32), []
    while len(samples) < wanted:
        recording = any_of(recordings, rng)
        more = load(recording.path)
        if len(samples) + len(more) > 29 * RATE_HZ:
            continue
        samples = np.concatenate([samples, more, np.zeros(int(rng.uniform(0.2, 0.8) * RATE_HZ), np.float32)])
        texts.append(recording.text)
    return samples[:29 * RATE_HZ], None if None in texts else " ".join(texts)


def any_of(recordings: List[Recording], rng: np.random.Generator) -> Recording:
    """Every source is as likely, however many recordings it has."""
    source = rng.choice(sorted({recording.source for recording in recordings}))
    own = [recording for recording in recordings if recording.source == source]
    return own[int(rng.integers(len(own)))]


def picked(recordings: List[Recording], count: int, seed: int, source: str) -> List[Recording]:
    rng = np.random.default_rng([seed, *source.encode()])
    return [recordings[i] for i in sorted(rng.permutation(len(recordings))[:count])]


def padded(samples: np.ndarray) -> np.ndarray:
    return np.pad(samples.astype(np.float32), (0, max(0, SHORTEST_SAMPLES - len(samples))))

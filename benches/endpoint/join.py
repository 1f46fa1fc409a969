#!/usr/bin/env python3
"""Joins recordings with pauses of known places, and writes WAVs and manifests for `kioskd evaluate endpoint`.

    join.py OUT --orders DIR --speech DIR --fixtures audio_fixtures [--words FILE] [--per-part 60] [--seed 11]

A recording becomes one file: 0.5 s of its own room, its first half, an inner pause of 0.3 to 2 s, its second half, and 3 s of quiet. It is
cut between two words, FILE being what `kioskd transcribe --json` writes about the recordings: at the quietest moment that is within 80 ms
of where one word ends and between 35 and 75 % of the voice. Without FILE it is cut at its quietest moment between 35 and 75 %: often in
the middle of a word, while the lips are closed for its "p", where nobody pauses. Two synthetic sentences become one file with a pause of
2.5 s between them, where each sentence is over. The quiet that is put in is noise of the level and rough colour of the recording's own
quietest tenth.

Sound is read with soundfile (Ogg Opus, FLAC, WAV); DIR of --orders holds audio/*.opus, DIR of --speech holds manifest.jsonl with `audio`,
`speaker` and `source` (an4 and ljspeech are used). Which part a file belongs to, development or test, hangs on a hash of its speaker
where that is known and of its name otherwise, so it is decided before anything is tuned and never changes.

Written below OUT: wav/*.wav (16 kHz, mono, 16 bit), development.jsonl and test.jsonl with a line a file:
{"audio", "group", "text"?, "pauses": [{"from_ms", "to_ms", "complete"}]}. `complete` says that the speaker was done there.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import numpy as np
import soundfile

RATE = 16_000
FRAME = RATE // 100
LEAD_S, END_S, BETWEEN_S = 0.5, 3.0, 2.5
INNER_S = (0.3, 2.0)
CUT_WITHIN = (0.35, 0.75)
# The voice ends where nothing later comes within 35 dB of the loudest tenth; recordings of people end in up to a second of room.
BELOW_VOICE_DB = 35.0
SHORTEST_VOICE_S = 1.0
# How far a recogniser may be off about where a word ends.
NEAR_WORD_END = RATE * 80 // 1000


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != RATE:
        # Opus is decoded at 48 kHz by some versions of libsndfile; a whole ratio with a short low-pass is enough for speech.
        times = rate // RATE
        assert rate == times * RATE, f"{path} is at {rate} Hz"
        kernel = np.sinc(np.arange(-32 * times, 32 * times + 1) / times) * np.hamming(64 * times + 1) / times
        mono = np.convolve(mono, kernel, mode="same")[::times]
    return mono


def levels_db(samples: np.ndarray) -> np.ndarray:
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return 10 * np.log10((frames**2).mean(axis=1) + 1e-12)


def voice(samples: np.ndarray) -> Tuple[int, int]:
    """First and last sample of the voice, by level."""
    level = levels_db(samples)
    floor = np.percentile(level, 10)
    loud = np.flatnonzero(level > max(np.percentile(level, 90) - BELOW_VOICE_DB, floor + 8.0))
    return int(loud[0]) * FRAME, (int(loud[-1]) + 1) * FRAME


def quietest(samples: np.ndarray, word_ends: "List[int] | None") -> "int | None":
    """The middle of the quietest 60 ms between 35 and 75 %, near the end of a word where those are given."""
    power = np.convolve((samples**2), np.ones(6 * FRAME), mode="same")
    first, last = (int(len(samples) * share) for share in CUT_WITHIN)
    allowed = np.ones(len(samples), bool) if word_ends is None else np.zeros(len(samples), bool)
    for end in word_ends or []:
        if first <= end < last:
            allowed[max(end - NEAR_WORD_END, first) : end + NEAR_WORD_END + 1] = True
    allowed[:first], allowed[last:] = False, False
    return int(np.where(allowed, power, np.inf).argmin()) if allowed.any() else None


def room(samples: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Noise with the spectrum of the quietest tenth of the recording."""
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512)
    power = (frames**2).mean(axis=1)
    quiet = frames[np.argsort(power)[: max(3, len(frames) // 10)]] * np.hanning(512)
    shape = np.sqrt((np.abs(np.fft.rfft(quiet, axis=1)) ** 2).mean(axis=0) / (np.hanning(512) ** 2).sum())
    count = int(seconds * RATE)
    white = np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(white * np.interp(np.linspace(0, 1, len(white)), np.linspace(0, 1, len(shape)), shape), count)


def faded(samples: np.ndarray) -> np.ndarray:
    """5 ms of fade at both ends: a step would be heard as a click."""
    out, ramp = samples.copy(), np.linspace(0, 1, FRAME // 2)
    out[: len(ramp)] *= ramp
    out[-len(ramp) :] *= ramp[::-1]
    return out


class Joined:
    """A sound that grows, and the pauses in it."""

    def __init__(self, source: np.ndarray, rng: np.random.Generator) -> None:
        self._source, self._rng = source, rng
        self._parts: List[np.ndarray] = [room(source, LEAD_S, rng)]
        self.pauses: List[Dict] = []

    def _ms(self) -> int:
        return round(sum(len(part) for part in self._parts) * 1000 / RATE)

    def say(self, samples: np.ndarray) -> None:
        self._parts.append(faded(samples))

    def pause(self, seconds: float, complete: bool) -> None:
        from_ms = self._ms()
        self._parts.append(room(self._source, seconds, self._rng))
        self.pauses.append({"from_ms": from_ms, "to_ms": self._ms(), "complete": complete})

    def samples(self) -> np.ndarray:
        return np.clip(np.concatenate(self._parts), -1, 1)


def cut_in_two(samples: np.ndarray, word_ends: "List[int] | None", rng: np.random.Generator) -> "Joined | None":
    """None for what is too short, and for what has no word that ends where it may be cut."""
    first, last = voice(samples)
    spoken = samples[first:last]
    if len(spoken) < SHORTEST_VOICE_S * RATE:
        return None
    at = quietest(spoken, None if word_ends is None else [end - first for end in word_ends])
    if at is None:
        return None
    joined = Joined(samples, rng)
    joined.say(spoken[:at])
    joined.pause(rng.uniform(*INNER_S), complete=False)
    joined.say(spoken[at:])
    joined.pause(END_S, complete=True)
    return joined


def two_sentences(one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> Joined:
    joined = Joined(np.concatenate([one, other]), rng)
    for sentence, seconds in ((one, BETWEEN_S), (other, END_S)):
        first, last = voice(sentence)
        joined.say(sentence[first:last])
        joined.pause(seconds, complete=True)
    return joined


def word_ends(path: Path) -> Dict[str, List[int]]:
    """By the recording's file name: the sample where each word but the last ends."""
    rows = (json.loads(line) for line in open(path, encoding="utf-8"))
    return {Path(row["file"]).name: [round(word["end"] * RATE) for word in row["words"][:-1]] for row in rows}


def part_of(key: str) -> str:
    return "test" if hashlib.sha256(key.encode()).digest()[0] % 2 else "development"


def sources(arguments: argparse.Namespace) -> Iterator[Tuple[str, str, Path, str]]:
    """Group, name, path and the key that decides the part, in a fixed order."""
    if arguments.orders:
        for path in sorted((arguments.orders / "audio").glob("*.opus")):
            yield "orders", path.stem, path, path.stem
    if arguments.speech:
        lines = [json.loads(line) for line in open(arguments.speech / "manifest.jsonl", encoding="utf-8")]
        for line in sorted(lines, key=lambda line: hashlib.sha256(line["audio"].encode()).hexdigest()):
            if line["source"] in ("an4", "ljspeech"):
                # One reader read all of LJ Speech, so there the file decides.
                key = line["audio"] if line["source"] == "ljspeech" else line["speaker"]
                yield line["source"], Path(line["audio"]).stem, arguments.speech / line["audio"], key


def fixtures(folder: Path) -> Iterator[Tuple[str, Path, Path, str]]:
    """Pairs of clean synthetic sentences of one voice."""
    lines = [json.loads(line) for line in open(folder / "index.jsonl", encoding="utf-8")]
    voices: Dict[str, List[Path]] = {}
    for line in lines:
        if line["condition"] == "clean":
            voices.setdefault(line["voice"], []).append(folder / line["file"])
    for voice_name, paths in sorted(voices.items()):
        for one, other in zip(paths[::2], paths[1::2]):
            yield f"{one.stem}+{other.stem}", one, other, one.stem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--orders", type=Path)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--fixtures", type=Path)
    parser.add_argument("--words", type=Path, help="lines of `kioskd transcribe --json` about the recordings of --orders and --speech")
    parser.add_argument("--per-part", type=int, default=60, help="orders in each part; a sixth of it of each other source")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    (arguments.out / "wav").mkdir(parents=True, exist_ok=True)
    ends = word_ends(arguments.words) if arguments.words else None
    rows: Dict[str, List[Dict]] = {"development": [], "test": []}
    taken: Dict[Tuple[str, str], int] = {}

    def keep(group: str, name: str, key: str, joined: Joined) -> None:
        path = Path("wav") / f"{group}-{name}.wav"
        soundfile.write(arguments.out / path, joined.samples(), RATE, subtype="PCM_16")
        rows[part_of(key)].append({"audio": str(path), "group": group, "pauses": joined.pauses})

    for group, name, path, key in sources(arguments):
        most = arguments.per_part if group == "orders" else arguments.per_part // 6
        if taken.get((group, part_of(key)), 0) >= most:
            continue
        # A seed of its own for each file: adding one changes no other.
        rng = np.random.default_rng([arguments.seed, *hashlib.sha256(name.encode()).digest()[:8]])
        joined = cut_in_two(read(path), ends.get(path.name, []) if ends is not None else None, rng)
        if joined is not None:
            taken[group, part_of(key)] = taken.get((group, part_of(key)), 0) + 1
            keep(group, name, key, joined)
    if arguments.fixtures:
        for name, one, other, key in fixtures(arguments.fixtures):
            rng = np.random.default_rng([arguments.seed, *hashlib.sha256(name.encode()).digest()[:8]])
            keep("synthetic", name, key, two_sentences(read(one), read(other), rng))
    for part, lines in rows.items():
        with open(arguments.out / f"{part}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        inner = sum(not pause["complete"] for line in lines for pause in line["pauses"])
        print(f"{part}: {len(lines)} files, {inner} inner pauses, {sum(len(line['pauses']) for line in lines) - inner} ends")


if __name__ == "__main__":
    main()

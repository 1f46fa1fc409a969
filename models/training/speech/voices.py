#!/usr/bin/env python3
"""Speaks the sentences of sentences/ with espeak-ng: speech in more languages and accents, so that an adapter leaves them as they were.

    voices.py OUT

Example:
    voices.py var/training/voices

The voices are robots' and need not be better: the target is what the public weights make of the same sound. Makes OUT/manifest.jsonl and
OUT/LANGUAGE/SENTENCE-VOICE.wav, 16 kHz; the sentence is the group, so that no sentence is on both sides of the split.
"""
from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import soundfile

from mel import RATE_HZ
from sounds import load

SENTENCES = Path(__file__).resolve().parent / "sentences"
# espeak-ng's names; after the + a variant of the throat.
ACCENTS = {
    "de": ["de"],
    "es": ["es", "es-419"],
    "fr": ["fr-fr", "fr-be", "fr-ch"],
    "en": ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029"],
}
THROATS = ["m1", "m2", "m3", "m4", "m7", "f1", "f2", "f3", "f4", "Annie", "steph", "max"]
VOICES_A_SENTENCE = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--voices", type=int, default=VOICES_A_SENTENCE, help="a sentence, of 12; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    rows = []
    for language, accents in ACCENTS.items():
        (arguments.out / language).mkdir(parents=True, exist_ok=True)
        for number, sentence in enumerate((SENTENCES / f"{language}.txt").read_text(encoding="utf-8").splitlines()):
            for throat in rng.sample(THROATS, arguments.voices):
                name = f"{language}/{number:03d}-{throat}.wav"
                speak(sentence, f"{rng.choice(accents)}+{throat}", rng.randint(130, 185), rng.randint(35, 65), arguments.out / name)
                group = f"{language}-{number}"
                rows.append({"audio": name, "text": sentence, "language": language, "source": f"espeak-{language}", "group": group})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (arguments.out / "manifest.jsonl").write_text(lines, encoding="utf-8")
    print(f"{len(rows)} sentences spoken into {arguments.out}", file=sys.stderr)


def speak(sentence: str, voice: str, words_a_minute: int, pitch: int, path: Path) -> None:
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(words_a_minute), "-p", str(pitch), "-w", str(path), "--", sentence], check=True)
    soundfile.write(path, load(path), RATE_HZ)


if __name__ == "__main__":
    main()

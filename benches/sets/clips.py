"""A folder of clips and its manifest.jsonl: 16 kHz mono WAV of 16 bits, a line `{"audio", "text", ..}` a clip.

Voices and sample arithmetic are those of audio_fixtures/make.py.
"""
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "audio_fixtures"))
from make import Missing, Speaker, pcm, resampled, silence, wav  # noqa: E402  (the line above makes it importable)

RATE_HZ = 16_000
# A microphone that is opened on demand hears a moment of room before and after.
LEAD_SECONDS, TRAIL_SECONDS = 0.2, 0.3


class Folder:
    def __init__(self, path):
        self._path, self._lines, self._speaker, self._seconds = pathlib.Path(path), [], Speaker(), 0.0
        self._path.mkdir(parents=True, exist_ok=True)

    def add(self, stem, samples, text, **more):
        """`samples` are at RATE_HZ in -1..1."""
        file = f"{stem}.wav"
        (self._path / file).write_bytes(wav(pcm(samples, 16), RATE_HZ))
        self._lines.append({"audio": file, "text": text, **more})
        self._seconds += len(samples) / RATE_HZ

    def say(self, stem, voice, text, **more):
        try:
            samples, rate = self._speaker.say(voice, text)
        except Missing as engine:
            raise SystemExit(f"{engine} is not installed; run this by `make bench-sets`, which sees to it") from None
        sound = [silence(LEAD_SECONDS, RATE_HZ), resampled(samples, rate, RATE_HZ), silence(TRAIL_SECONDS, RATE_HZ)]
        self.add(stem, np.concatenate(sound), text, voice=voice, **more)

    def close(self):
        manifest = self._path / "manifest.jsonl"
        manifest.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self._lines), encoding="utf-8")
        print(f"{self._path}: {len(self._lines)} clips, {self._seconds / 60:.1f} min")

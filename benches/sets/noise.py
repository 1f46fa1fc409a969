#!/usr/bin/env python3
"""Makes clips in which nobody speaks. Text from any of them was made up.

    noise.py FOLDER [--recording FILE [--after SECONDS]]

manifest.jsonl has {"audio", "text": "", "kind"}. `--recording` adds cuts of a recorded room without speech, in any format that ffmpeg
reads; `--after` leaves its beginning to those who tune on it. Seeds are fixed.
"""
import argparse
import pathlib
import subprocess

import numpy as np

from clips import RATE_HZ, Folder, silence
from make import kitchen

# Lengths as they come out of an endpointer that was fooled, and one long one.
SECONDS = (0.5, 1.0, 1.6, 2.5, 4.0, 8.0)
# From a good microphone in an empty shop to a machine beside the kiosk.
LEVELS_DBFS = (-62, -50, -38, -26)
CUTS = 40


def levelled(samples, dbfs):
    return samples / np.sqrt(np.mean(samples ** 2)) * 10 ** (dbfs / 20)


def coloured(rng, count, slope):
    """Noise whose power falls with the frequency to the power of `slope`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.normal(size=count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20)  # below 20 Hz no loudspeaker and no room gives anything
    return np.fft.irfft(spectrum / hz ** (slope / 2), count)


def hum(rng, time):
    mains = rng.choice((50, 60))
    return sum(np.sin(2 * np.pi * mains * order * time + rng.uniform(0, 6)) / order for order in (1, 2, 3, 5, 7))


def clicks(rng, time):
    """A switch, a cup put down: short rings at random, over a faint floor."""
    out = rng.normal(size=len(time)) * 0.002
    for start in rng.uniform(0, time[-1], max(1, round(3 * time[-1]))):
        ring = time[time >= start] - start
        hit = np.sin(2 * np.pi * rng.uniform(300, 5000) * ring) * np.exp(-ring * rng.uniform(40, 300))
        out[len(out) - len(ring):] += hit * rng.uniform(0.3, 1)
    return out


def tune(rng, time):
    """Notes of a pentatonic scale with overtones, three a second: the shop's music without a singer."""
    notes = 220 * 2 ** (rng.choice((0, 2, 4, 7, 9, 12, 14), size=int(3 * time[-1]) + 1) / 12)
    pitch = notes[np.minimum((3 * time).astype(int), len(notes) - 1)]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    decay = np.exp(-4 * (3 * time % 1))
    return decay * sum(np.sin(order * phase) / order ** 1.5 for order in (1, 2, 3, 4))


def breath(rng, time):
    """Breathing in and out near the microphone: noise between 400 and 4,000 Hz that swells 18 times a minute, in louder than out."""
    spectrum, hz = np.fft.rfft(rng.normal(size=len(time))), np.fft.rfftfreq(len(time), 1 / RATE_HZ)
    air = np.fft.irfft(spectrum * np.exp(-(np.log(np.maximum(hz, 1) / 1200) / 0.8) ** 2), len(time))
    swell = np.sin(2 * np.pi * (0.3 * time + rng.uniform()))
    return air * (np.maximum(swell, 0) + 0.5 * np.maximum(-swell, 0) + 0.02)


def beeps(rng, time):
    """Beeps of a till, a door or a reversing van."""
    tone = np.sin(2 * np.pi * rng.choice((700, 1000, 2000, 2800)) * time)
    return tone * ((time * rng.uniform(1.5, 5)) % 1 < 0.4) + rng.normal(size=len(time)) * 0.002


def coffee_bar(rng, time):
    """Cut from the middle of a long one, as its steamer may not be on in a short one."""
    whole = kitchen(rng, 4 + time[-1] + 1 / RATE_HZ, RATE_HZ)
    return whole[2 * RATE_HZ:2 * RATE_HZ + len(time)]


KINDS = {
    "white": lambda rng, time: coloured(rng, len(time), 0),
    "pink": lambda rng, time: coloured(rng, len(time), 1),
    "brown": lambda rng, time: coloured(rng, len(time), 2),
    "hum": hum,
    "clicks": clicks,
    "tune": tune,
    "breath": breath,
    "beeps": beeps,
    "coffee-bar": coffee_bar,
}


def recorded(path, after):
    command = ["ffmpeg", "-v", "error", "-ss", str(after), "-i", str(path), "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le", "-"]
    samples = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4").astype(np.float64)
    if len(samples) < RATE_HZ * SECONDS[-1]:
        raise SystemExit(f"{path} has {len(samples) / RATE_HZ:.1f} s after second {after}; {SECONDS[-1]} are needed")
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--recording", type=pathlib.Path, help="a room in which nobody speaks")
    parser.add_argument("--after", type=float, default=0.0, metavar="SECONDS", help="where its cuts begin (default: %(default)s)")
    options = parser.parse_args()
    folder, rng = Folder(options.folder), np.random.default_rng(20_000)
    for seconds in SECONDS:
        folder.add(f"silence-{seconds}", silence(seconds, RATE_HZ), "", kind="silence")
        for kind, make in KINDS.items():
            for dbfs in LEVELS_DBFS:
                sound = levelled(make(rng, np.arange(round(seconds * RATE_HZ)) / RATE_HZ), dbfs)
                folder.add(f"{kind}-{seconds}-{-dbfs}", sound, "", kind=kind)
    if options.recording:
        room = recorded(options.recording, options.after)
        # As recorded, and 12 dB louder: as it sounds to a microphone that turns itself up.
        for number in range(CUTS):
            count = round(SECONDS[number % len(SECONDS)] * RATE_HZ)
            start = round((len(room) - count) * number / (CUTS - 1))
            loud = number % 2
            cut = room[start:start + count] * 10 ** (12 * loud / 20)
            folder.add(f"recording-{number:02}", cut, "", kind="recording-loud" if loud else "recording")
    folder.close()


if __name__ == "__main__":
    main()

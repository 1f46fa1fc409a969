#!/usr/bin/env python3
"""Makes training clips and keeps what the public weights say to each in the full window (the teacher's lessons).

    cache.py --model base --audio FOLDER... --out CACHE [--minutes 25 | --clips 600]

Examples:
    cache.py --model tiny.en --audio recordings --out var/training/tiny.en/cache --clips 400
    cache.py --model base --language de --audio aufnahmen --noise kitchen.wav --out var/training/base/cache --minutes 20
    cache.py --model tiny.en --undisturbed --noisy 0.6 --noise-db -5 30 --noise kitchen.wav --audio recordings --out CACHE

With --undisturbed the teacher hears each clip without the room, the noise or the telephone that the student hears it in, so that the
student learns to hear through them; it may then become better than the teacher. What a recording says is what the teacher makes of it
alone, or the manifest's `lesson`.

No transcripts are needed. 30% of the recordings are kept back for evaluate.py (recordings.py says which). The cache is a folder of
shards; a run that was killed goes on after the last whole one, and one that has ended is left as it is.
"""
from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

import numpy as np
import torch

from augmentation import NOISE_DB, NOISY, Augmentation, Clip
from mel import SHORTEST_SAMPLES, log_mel, own_units
from model_weights import public_model
from network import FULL_UNITS, Network
from recordings import Recording, read_folders, training_part
from sounds import load
from teacher import Teacher
from vocabulary import NO_TIMESTAMPS, TIMESTAMPS, Vocabulary

SHARD_CLIPS = 32
GROUP_CLIPS = 8
ENDED = "ended"  # a file of this name says that no shards are to follow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="tiny.en or base: a NAME of which models/manifest.toml has NAME-weights")
    parser.add_argument("--audio", type=Path, nargs="+", required=True, metavar="FOLDER", help="sound files, see recordings.py")
    parser.add_argument("--language", default="en", help="of recordings whose manifest names none; default: %(default)s")
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="SOURCE", help="corpora to take nothing of")
    parser.add_argument("--share", nargs="*", default=[], metavar="SOURCE=PART", help="part of the clips that a source gives")
    parser.add_argument("--noise", type=Path, help="recorded noise; its first 90 s are used")
    parser.add_argument("--noisy", type=float, default=NOISY, metavar="PART", help="part of the clips with noise; default: %(default)s")
    parser.add_argument("--noise-db", type=float, nargs=2, default=NOISE_DB, metavar=("LOW", "HIGH"), help="speech above noise; default: 5 30")
    parser.add_argument("--undisturbed", action="store_true", help="the teacher hears the clips without room, noise and telephone")
    parser.add_argument("--out", type=Path, required=True, metavar="CACHE")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time")
    parser.add_argument("--clips", type=int, default=640, help="stop after so many clips; default: %(default)s")
    parser.add_argument("--group", type=int, default=GROUP_CLIPS, help="clips heard together; a GPU takes 32; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("var/training/weights"), help="for downloaded weights; default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="of the processor; default: %(default)s")
    fill(parser.parse_args())


def fill(arguments: argparse.Namespace) -> None:
    if (arguments.out / ENDED).exists():
        print(f"{arguments.out} is complete; remove it to make another", file=sys.stderr)
        return
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = public_model(arguments.model, arguments.work)
    recordings = training_part(read_folders(arguments.audio, arguments.language, arguments.leave_out))
    shares = {name: float(part) for name, _, part in (text.partition("=") for text in arguments.share)}
    teacher = Teacher(Network(model.tensors, model.shape, device), Vocabulary(model.shape, model.tokens))
    filters = torch.from_numpy(model.filters)
    arguments.out.mkdir(parents=True, exist_ok=True)
    words = words_of(recordings, teacher, filters, arguments.group) if arguments.undisturbed else None
    print(f"{len(recordings)} recordings to train on; {device}", file=sys.stderr, flush=True)

    end, made, shard = time.monotonic() + 60 * arguments.minutes, 0, 0
    while made < arguments.clips and time.monotonic() < end:
        path = arguments.out / f"{shard:05d}.pt"
        if path.exists():
            made += len(torch.load(path, weights_only=True))
        else:
            # A shard has its own random numbers: that makes it the same whether or not the run was interrupted before it.
            rng = np.random.default_rng([arguments.seed, shard])
            source = Augmentation(recordings, shares, arguments.noise, rng, arguments.noisy, tuple(arguments.noise_db)).clips()
            clips = [next(source) for _ in range(SHARD_CLIPS)]
            items = lessons_of(clips, teacher, filters, rng, arguments.group, words)
            temporary = path.with_suffix(".part")
            torch.save(items, temporary)
            os.replace(temporary, path)
            made += len(items)
            print(f"{made} clips", file=sys.stderr, flush=True)
        shard += 1
    (arguments.out / ENDED).touch()


def words_of(recordings: List[Recording], teacher: Teacher, filters: torch.Tensor, size: int) -> Dict[str, List[int]]:
    """Recording's key -> its words as tokens, without those that the teacher finds no end of."""
    words = {recording.key: teacher.vocabulary.ids(" " + recording.lesson.strip()) for recording in recordings if recording.lesson}
    alone = [recording for recording in recordings if not recording.lesson]
    for at in range(0, len(alone), size):
        group = alone[at:at + size]
        sounds = [load(recording.path) for recording in group]
        mels = torch.stack([log_mel(np.pad(sound, (0, max(0, SHORTEST_SAMPLES - len(sound)))), filters) for sound in sounds])
        heard = teacher.heard(mels.to(teacher.network.device), [recording.language for recording in group])
        words |= {recording.key: text for recording, text in zip(group, heard) if text is not None}
    return words


def lessons_of(clips: List[Clip], teacher: Teacher, filters: torch.Tensor, rng: np.random.Generator, size: int,
               words: Optional[Dict[str, List[int]]] = None) -> List[Dict]:
    """Plain values only, so that the file can be loaded without running anything of it. `words`: the teacher hears clips undisturbed."""
    items = []
    clips = sorted(clips, key=lambda clip: len(clip.samples))  # alike in length, alike in text: fewer steps that only one row needs
    for told in (False, True):
        alike = [clip for clip in clips if told == (words is not None and bool(clip.said) and all(key in words for key in clip.said))]
        for at in range(0, len(alike), size):
            group = alike[at:at + size]
            mels = torch.stack([log_mel(clip.samples, filters) for clip in group])
            heard = mels if words is None else torch.stack([log_mel(clip.clean, filters) for clip in group])
            heard, languages = heard.to(teacher.network.device), [clip.language for clip in group]
            if told:
                found = teacher.told(heard, languages, [[token for key in clip.said for token in words[key]] for clip in group])
            else:
                found = teacher.lessons(heard, languages, str(rng.choice([TIMESTAMPS, NO_TIMESTAMPS])))
            items += [item_of(clip, mel, lesson, told) for clip, mel, lesson in zip(group, mels, found) if lesson is not None]
    return items


def item_of(clip: Clip, mel: torch.Tensor, lesson: Dict, told: bool) -> Dict:
    units = own_units(len(clip.samples))
    frames = min(2 * FULL_UNITS, 2 * units + 4)  # an edge's echo reaches that far; the rest is `pad` everywhere
    return {
        "made_of": clip.made_of, "language": clip.language, "units": units, "mel": mel[:, :frames].half().clone(),
        "pad": mel[0, -1].item(), "lessons": lesson, "told": told,
    }


if __name__ == "__main__":
    main()

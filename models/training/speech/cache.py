#!/usr/bin/env python3
"""Makes training clips and keeps what the public weights say to each in the full window (the teacher's lessons).

    cache.py --model base --audio FOLDER... --out CACHE [--minutes 25 | --clips 600]

Examples:
    cache.py --model tiny.en --audio recordings --out var/training/tiny.en/cache --clips 400
    cache.py --model base --language de --audio aufnahmen --noise kitchen.wav --out var/training/base/cache --minutes 20

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
from typing import Dict, List

import numpy as np
import torch

from augmentation import Augmentation, Clip
from mel import log_mel, own_units
from model_weights import public_model
from network import FULL_UNITS, Network
from recordings import read_folders, training_part
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
    print(f"{len(recordings)} recordings to train on; {device}", file=sys.stderr, flush=True)

    end, made, shard = time.monotonic() + 60 * arguments.minutes, 0, 0
    while made < arguments.clips and time.monotonic() < end:
        path = arguments.out / f"{shard:05d}.pt"
        if path.exists():
            made += len(torch.load(path, weights_only=True))
        else:
            # A shard has its own random numbers: that makes it the same whether or not the run was interrupted before it.
            rng = np.random.default_rng([arguments.seed, shard])
            source = Augmentation(recordings, shares, arguments.noise, rng).clips()
            clips = [next(source) for _ in range(SHARD_CLIPS)]
            items = lessons_of(clips, teacher, filters, device, rng, arguments.group)
            temporary = path.with_suffix(".part")
            torch.save(items, temporary)
            os.replace(temporary, path)
            made += len(items)
            print(f"{made} clips", file=sys.stderr, flush=True)
        shard += 1
    (arguments.out / ENDED).touch()


def lessons_of(clips: List[Clip], teacher: Teacher, filters: torch.Tensor, device: torch.device, rng: np.random.Generator, size: int) -> List[Dict]:
    """Plain values only, so that the file can be loaded without running anything of it."""
    items = []
    clips = sorted(clips, key=lambda clip: len(clip.samples))  # alike in length, alike in text: fewer steps that only one row needs
    for at in range(0, len(clips), size):
        group = clips[at:at + size]
        mels = torch.stack([log_mel(clip.samples, filters) for clip in group])
        mode = str(rng.choice([TIMESTAMPS, NO_TIMESTAMPS]))
        found = teacher.lessons(mels.to(device), [clip.language for clip in group], mode)
        for clip, mel, lesson in zip(group, mels, found):
            if lesson is None:
                continue
            units = own_units(len(clip.samples))
            frames = min(2 * FULL_UNITS, 2 * units + 4)  # an edge's echo reaches that far; the rest is `pad` everywhere
            items.append({
                "made_of": clip.made_of, "language": clip.language, "units": units, "mel": mel[:, :frames].half().clone(),
                "pad": mel[0, -1].item(), "lessons": lesson,
            })
    return items


if __name__ == "__main__":
    main()

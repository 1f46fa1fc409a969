#!/usr/bin/env python3
"""Measures whisper.cpp model files on recordings kept back, in short windows and in the full one.

    evaluate.py hear MODEL.bin --window full|UNITS --audio FOLDER... --out TEXTS.jsonl
    evaluate.py compare REFERENCE.jsonl TEXTS.jsonl... [--orders FOLDER]
    evaluate.py write --audio FOLDER... --out FOLDER

Examples:
    evaluate.py hear models/fetched/whisper/ggml-base-f16.bin --window full --audio recordings --out full.jsonl
    evaluate.py hear models/fetched/whisper/ggml-base-short.bin --window 30 --audio recordings --out short.jsonl
    evaluate.py compare full.jsonl short.jsonl

A window of 30 is the clip's own length and 30 units of 20 ms. `hear` uses kioskd's settings: flash attention off, one segment, timestamps,
no context, no second attempts, one thread; it goes on where it was stopped. `compare` prints a table with 95% intervals. `write` leaves the
same clips as WAV with a manifest for `kioskd evaluate speech`, which hears them with its guard against runaways.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

import numpy as np
import soundfile

from mel import RATE_HZ, own_units
from network import FULL_UNITS
from orders import CoffeeOrders
from recordings import read_folders
from scores import difference_interval, distance, is_runaway, normalised, rate_interval, table, wilson
from testset import TestClip, held_out_clips

LONGEST_TEXT = 200
COLUMNS = ["model, window", "character errors", "difference", "differs from the first", "orders accepted", "runaways", "ms"]


def main(line: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    ear = commands.add_parser("hear", help="transcribe the clips kept back")
    ear.add_argument("model", type=Path, metavar="MODEL.bin")
    ear.add_argument("--window", required=True, help="full, or units of 20 ms beyond the clip's own length")
    choose_clips(ear)
    ear.add_argument("--out", type=Path, required=True, metavar="TEXTS.jsonl")
    ear.set_defaults(run=hear)
    comparison = commands.add_parser("compare", help="count errors and print a table")
    comparison.add_argument("texts", type=Path, nargs="+", metavar="TEXTS.jsonl", help="the first one is what the others are compared with")
    comparison.add_argument("--orders", type=Path, metavar="FOLDER", help="with labels.json and grammar.yaml of the coffee orders")
    comparison.set_defaults(run=compare)
    writer = commands.add_parser("write", help="write the clips kept back as WAV files")
    choose_clips(writer)
    writer.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    writer.set_defaults(run=write)
    arguments = parser.parse_args(line)
    arguments.run(arguments)


def choose_clips(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, nargs="+", required=True, metavar="FOLDER", help="the same as for cache.py")
    parser.add_argument("--language", default="en", help="the same as for cache.py")
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="SOURCE")
    parser.add_argument("--test-only", nargs="*", default=[], metavar="SOURCE", help="corpora of which nothing was trained on")
    parser.add_argument("--take", nargs="*", default=[], metavar="KIND=COUNT", help="clips of a source, or of joined, room, telephone, cut")
    parser.add_argument("--each", type=int, default=40, help="clips of every other kind; default: %(default)s")
    parser.add_argument("--seed", type=int, default=5)


def chosen_clips(arguments: argparse.Namespace) -> List[TestClip]:
    counts = {kind: int(count) for kind, _, count in (text.partition("=") for text in arguments.take)}
    recordings = read_folders(arguments.audio, arguments.language, arguments.leave_out)
    return held_out_clips(recordings, arguments.test_only, counts, arguments.each, arguments.seed)


def write(arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, clip in enumerate(chosen_clips(arguments)):
        name = f"{number:04}.wav"
        soundfile.write(arguments.out / name, clip.samples, RATE_HZ, subtype="PCM_16")
        # What nobody wrote down cannot be counted.
        if clip.text is None:
            continue
        line = {"audio": name, "text": clip.text, "key": clip.key, "kind": clip.kind, "language": clip.language}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    (arguments.out / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} clips with their words in {arguments.out}", file=sys.stderr)


def hear(arguments: argparse.Namespace) -> None:
    from pywhispercpp.model import Model

    clips = chosen_clips(arguments)
    done = {row["key"] for row in read_rows(arguments.out)} if arguments.out.exists() else set()
    # One thread and no flash attention: it pads the keys, and the padding is attended to.
    model = Model(str(arguments.model), n_threads=1, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None,
                  context_params={"use_gpu": False, "flash_attn": False})
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.out, "a", encoding="utf-8") as out:
        for number, clip in enumerate(clips, 1):
            if clip.key in done:
                continue
            began = time.process_time()
            text = transcript(model, clip, arguments.window)
            row = {
                "key": clip.key, "kind": clip.kind, "language": clip.language, "seconds": len(clip.samples) / RATE_HZ,
                "wanted": clip.text, "said": text, "cpu_ms": 1000 * (time.process_time() - began),
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            if number % 50 == 0:
                print(f"{arguments.out.name}: {number} of {len(clips)} clips", file=sys.stderr, flush=True)


def transcript(model, clip: TestClip, window: str) -> str:
    units = 0 if window == "full" else min(FULL_UNITS, own_units(len(clip.samples)) + int(window))
    segments = model.transcribe(clip.samples, language=clip.language, audio_ctx=units, single_segment=True, no_timestamps=False,
                                no_context=True, temperature_inc=0.0, suppress_blank=True, suppress_nst=True, max_tokens=LONGEST_TEXT)
    return " ".join(segment.text.strip() for segment in segments)


def read_rows(path: Path) -> List[Dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def compare(arguments: argparse.Namespace) -> None:
    orders = CoffeeOrders(arguments.orders) if arguments.orders else None
    files = [{row["key"]: row for row in read_rows(path)} for path in arguments.texts]
    shared = set.intersection(*(set(rows) for rows in files))
    keys = [key for key in files[0] if key in shared]
    groups = by(keys, files[0], "kind")
    languages = by(keys, files[0], "language")
    groups.update({f"language {language}": own for language, own in languages.items()} if len(languages) > 1 else {})
    groups["all"] = keys
    print(f"{len(keys)} clips. Character errors in %, differences in points from {arguments.texts[0].stem}, median processor time.\n")
    for name, own in groups.items():
        rows = [row_of(path.stem, rows, files[0], own, orders) for path, rows in zip(arguments.texts, files)]
        print(f"{name}, {len(own)} clips\n")
        print(table(COLUMNS, rows) + "\n")


def by(keys: List[str], rows: Dict, what: str) -> Dict[str, List[str]]:
    return {value: [key for key in keys if rows[key][what] == value] for value in sorted({rows[key][what] for key in keys})}


def row_of(name: str, rows: Dict, reference: Dict, keys: List[str], orders) -> List[str]:
    def plain(row: Dict, what: str) -> str:
        return normalised(row[what], row["language"])

    written = [key for key in keys if reference[key]["wanted"]]
    wanted = [plain(reference[key], "wanted") for key in written]
    sizes = [len(text) for text in wanted]
    errors, first = ([distance(text, plain(texts[key], "said")) for key, text in zip(written, wanted)] for texts in (rows, reference))
    told = [plain(reference[key], "said") for key in keys]
    strayed = [distance(text, plain(rows[key], "said")) for key, text in zip(keys, told)]
    judged = [key for key in keys if orders and orders.knows(key)]
    accepted = sum(orders.accepts(key, rows[key]["said"]) for key in judged)
    runaways = sum(is_runaway(rows[key]["said"], reference[key]["wanted"] or reference[key]["said"]) for key in keys)
    return [
        name,
        "{:.1f} ({:.1f}-{:.1f})".format(*rate_interval(errors, sizes)) if written else "",
        "{:+.2f} ({:+.2f} to {:+.2f})".format(*difference_interval(errors, first, sizes)) if written and rows is not reference else "",
        "{:.1f} ({:.1f}-{:.1f})".format(*rate_interval(strayed, [len(t) for t in told])) if rows is not reference else "",
        "{} of {} ({:.0f}-{:.0f}%)".format(accepted, len(judged), *wilson(accepted, len(judged))) if judged else "",
        "{} (up to {:.1f}%)".format(runaways, wilson(runaways, len(keys))[1]),
        f"{np.median([rows[key]['cpu_ms'] for key in keys]):.0f}",
    ]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Notes in a folder's manifest what Whisper should write for its recordings, for cache.py --undisturbed.

    lessons.py FOLDER [--orders ORDERS.jsonl...] [--written SOURCE...]

Examples:
    kioskd evaluate orders --dir orders --labels orders/labels.json --grammar config/grammars/coffee.toml --json > orders.jsonl
    lessons.py orders --orders orders.jsonl
    lessons.py real_speech --written picovoice-keywords

Of a grammar's sentences those are taken that came out as their label says (`would_be_right`). --written takes the manifest's own `text`,
as a sentence, for the sources named. All other recordings keep what the teacher hears in them.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Dict, List

from recordings import read_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="see recordings.py; its manifest.jsonl is written anew")
    parser.add_argument("--orders", type=Path, nargs="*", default=[], metavar="ORDERS.jsonl", help="what kioskd evaluate orders --json printed")
    parser.add_argument("--written", nargs="*", default=[], metavar="SOURCE", help="corpora whose text is to be written as a sentence")
    arguments = parser.parse_args()

    ordered = orders_of(arguments.orders)
    rows, given = [], 0
    for recording in read_folder(arguments.folder, "en"):
        lesson = ordered.get(recording.path.name)
        if recording.source in arguments.written and recording.text:
            lesson = recording.text[0].upper() + recording.text[1:] + "."
        given += lesson is not None
        row = {
            "audio": str(recording.path.relative_to(arguments.folder)), "source": recording.source, "language": recording.language,
            "speaker": recording.speaker, "group": recording.group, "text": recording.text, "lesson": lesson or recording.lesson,
        }
        rows.append({name: value for name, value in row.items() if value is not None})
    temporary = arguments.folder / "manifest.part"
    temporary.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    os.replace(temporary, arguments.folder / "manifest.jsonl")
    print(f"{given} of {len(rows)} recordings have a lesson", file=sys.stderr)


def orders_of(paths: List[Path]) -> Dict[str, str]:
    """File name -> the sentence; the first of several hearings that is right."""
    found: Dict[str, str] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("would_be_right") and row.get("text"):
                found.setdefault(Path(row["file"]).name, row["text"])
    return found


if __name__ == "__main__":
    main()

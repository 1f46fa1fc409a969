"""Labelled sentences, and which of them are kept back.

One sentence in eight is kept back, by its words alone: kioskd measures and calibrates on those (src/language/intent/examples.rs has the
same rule), so that no figure there comes from a sentence that the adapter has seen.
"""
from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import List, Tuple

Labelled = List[Tuple[str, str]]
Rated = List[Tuple[str, float]]
# People rated sentences from -4 to 4; this many times a rating is the log-odds of "positive".
LOG_ODDS = 1.5


def kept_back(text: str) -> bool:
    value = 0xCBF29CE484222325  # FNV-1a, 64 bit
    for byte in text.strip().lower().encode():
        value = ((value ^ byte) * 0x100000001B3) & (2**64 - 1)
    return (value ^ (value >> 32)) % 8 == 0


def read(path: Path) -> Labelled:
    """Text and label: a CSV with `text` and `category`, a TSV with `text` and `label`, or CLINC150's JSON, of which `train` is read."""
    if path.suffix == ".json":
        return [(text, label) for text, label in json.loads(path.read_text(encoding="utf-8"))["train"]]
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", quoting=csv.QUOTE_NONE if path.suffix == ".tsv" else csv.QUOTE_MINIMAL)
        return [(row["text"], row.get("category") or row["label"]) for row in rows]


def read_rated(path: Path) -> Rated:
    """Text and chance of "positive" of lines `id, rating from -4 to 4, text` by tabs (Hutto & Gilbert 2014)."""
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [(row[2], 1 / (1 + math.exp(-LOG_ODDS * float(row[1])))) for row in rows if len(row) == 3]


def training_part(rows: Labelled) -> Labelled:
    return [row for row in rows if not kept_back(row[0])]

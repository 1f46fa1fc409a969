"""Errors of a transcript in characters, runaways, and intervals that say how much of a difference is chance."""
from __future__ import annotations

import math
import re
import unicodedata
from typing import List, Sequence, Tuple

import numpy as np

RESAMPLES = 2000
DIGITS = "zero one two three four five six seven eight nine".split()


def normalised(text: str, language: str) -> str:
    """Lower-case letters and digits without spaces: how words are split or stressed is no error. English digits are spelt out."""
    text = re.sub(r"\[.*?\]|\(.*?\)", "", unicodedata.normalize("NFC", text).lower())
    if language == "en":
        text = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", text)
        text = re.sub(r"\d", lambda match: DIGITS[int(match.group())], text)
    return "".join(character for character in text if character.isalnum())


def distance(a: str, b: str) -> int:
    """Levenshtein's: characters to insert, remove or replace."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def is_runaway(said: str, wanted: str) -> bool:
    """More than twice the words that were wanted and four more: a text that repeats itself."""
    return len(said.split()) > 2 * len(wanted.split()) + 4


def rate_interval(errors: Sequence[int], sizes: Sequence[int], seed: int = 1) -> Tuple[float, float, float]:
    """Percent of errors, and its 95% bootstrap interval over clips."""
    return ratio_interval(np.asarray(errors, float), np.asarray(sizes, float), seed)


def difference_interval(errors: Sequence[int], base: Sequence[int], sizes: Sequence[int], seed: int = 1) -> Tuple[float, float, float]:
    """Percentage points more than `base` on the same clips, and the 95% interval of that (paired bootstrap)."""
    return ratio_interval(np.asarray(errors, float) - np.asarray(base, float), np.asarray(sizes, float), seed)


def ratio_interval(numerators: np.ndarray, sizes: np.ndarray, seed: int) -> Tuple[float, float, float]:
    chosen = np.random.default_rng(seed).integers(len(sizes), size=(RESAMPLES, len(sizes)))
    drawn = 100 * numerators[chosen].sum(1) / np.maximum(1, sizes[chosen].sum(1))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return 100 * numerators.sum() / max(1, sizes.sum()), float(low), float(high)


def wilson(successes: int, trials: int) -> Tuple[float, float]:
    """95% interval of a share, in percent (Wilson, 1927)."""
    if trials == 0:
        return 0.0, 100.0
    z, share = 1.96, successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials ** 2))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def table(header: List[str], rows: List[List[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""Whether a spoken coffee order was understood: its slots, found by their allowed values, against the label's.

Reads Picovoice's grammar.yaml and labels.json (speech-to-intent benchmark, Apache-2.0). The label says what was ordered and not in which
words, so that characters cannot be counted.
"""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, List

from scores import distance

ALIKE = 0.72  # of a slot's letters; below it other drinks begin to be taken for it
OUNCES = (("20", "twenty"), ("16", "sixteen"), ("12", "twelve"), ("8", "eight"))


class CoffeeOrders:
    def __init__(self, folder: Path) -> None:
        import yaml  # only where orders are judged

        grammar = yaml.safe_load((folder / "grammar.yaml").read_text())
        self.values: Dict[str, List[str]] = {slot: list(values) for slot, values in grammar["modifiers"].items()}
        self.values["coffeeDrink"] = list(grammar["coffeeDrink"])
        for slot, parts in grammar["additions"].items():
            self.values[slot] = [f"{amount} {kind}".strip() for amount in parts["amount"] for kind in parts["kind"]]
        labels = json.loads((folder / "labels.json").read_text())
        self.labels = {Path(name).name: label["slots"] for name, label in labels.items()}

    def knows(self, key: str) -> bool:
        return Path(key).name in self.labels

    def accepts(self, key: str, text: str) -> bool:
        """All slots of the order and no other."""
        wanted = {slot: value.strip().lower() for slot, value in self.labels[Path(key).name].items()}
        return self._slots(words_of(text)) == wanted

    def _slots(self, words: List[str]) -> Dict[str, str]:
        found = {}
        for slot, values in self.values.items():
            best = (0.0, "")
            for value in values:
                count = len(value.split())
                for size in {max(1, count - 1), count, count + 1}:
                    for at in range(len(words) - size + 1):
                        heard = " ".join(words[at:at + size])
                        alike = 1 - distance(heard, value) / max(len(heard), len(value), 1)
                        if alike >= ALIKE:
                            best = max(best, (alike + 0.12 * count, value))
            if best[1]:
                found[slot] = best[1]
        if found.get("roast") == "medium roast" and found.get("size") == "medium" and " ".join(words).count("medium") < 2:
            del found["size"]
        return found


def words_of(text: str) -> List[str]:
    """Lower-case words; a sentence that a speaker repeats counts once."""
    text = text.lower().replace("-", " ")
    for digits, word in OUNCES:
        text = re.sub(rf"\b{digits}\b", word, text)
    words = re.sub(r"[^a-z ]", " ", text.replace("'", "")).split()
    for size in range(4, len(words) // 2 + 1):
        if words[:size] == words[size:2 * size]:
            return words[:size]
    return words

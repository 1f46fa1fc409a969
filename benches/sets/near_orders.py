#!/usr/bin/env python3
"""Speaks near_orders.txt: sentences that must not be taken for a coffee order.

    near_orders.py FOLDER [--sentences near_orders.txt]

Voices take turns. manifest.jsonl has {"audio", "text", "kind", "voice"}; `kind` is `near` or `other`, as the text file says. A sentence
that the grammar accepts stops the run: it would count a right answer as a mistake.
"""
import argparse
import pathlib
import re

from clips import Folder

VOICES = ("heart", "heart-low", "slt")

# The grammar of the Picovoice coffee orders, as a pattern. The article may be left out, as "get me iced coffee" is an order to everybody.
AMOUNT = "(?:some |a bit of |a little bit of |a lot of |lots of )?"
MILK = f"{AMOUNT}(?:skim milk|whole milk|soy milk|almond milk|milk|cream)"
SUGAR = f"{AMOUNT}(?:brown sugar|sugar|sweetener)"
MODIFIER = ("(?:small|medium|large|eight ounce|twelve ounce|sixteen ounce|twenty ounce|light roast|medium roast|dark roast"
            "|single shot|double shot|triple shot)")
ORDER = re.compile(
    "(?:brew|can i get|can i have|i want|get me|give me|i'd like|make me|may i have) (?:an? )?"
    f"(?:{MODIFIER} )*"
    "(?:americano|cappuccino|espresso|iced mocha|latte|mocha|coffee|drip coffee|house coffee|iced coffee)"
    f"(?: with (?:{MILK}|{SUGAR})(?: and (?:{MILK}|{SUGAR}))?)?"
)


def canonical(sentence):
    return " ".join(re.findall(r"[a-z']+", sentence.lower()))


def sentences_of(path):
    """Pairs of kind and sentence."""
    kind = None
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            if ORDER.fullmatch(canonical(line)):
                raise SystemExit(f"{path}: {line!r} is an order by the grammar; take it out")
            yield kind, line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    beside = pathlib.Path(__file__).with_name("near_orders.txt")
    parser.add_argument("--sentences", type=pathlib.Path, default=beside, help="default: %(default)s")
    options = parser.parse_args()
    sentences = list(sentences_of(options.sentences))
    folder = Folder(options.folder)
    for number, (kind, sentence) in enumerate(sentences):
        voice = VOICES[number % len(VOICES)]
        folder.say(f"{kind}-{number:03}-{voice}", voice, sentence, kind=kind)
    folder.close()


if __name__ == "__main__":
    main()

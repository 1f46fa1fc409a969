#!/usr/bin/env python3
"""Plants anomalies in a table of sessions, to measure whether they are found. The standard library is enough.

    planted.py train.csv planted.csv [--kind mixed|far] [--share 0.02] [--seed 1] [--drop Revenue]

`mixed` rows take each cell from another row drawn by chance: every value is common, the company it keeps is not. `far` rows have two numeric
cells multiplied by 3 to 10 (0 becomes the column's largest value). The new column `planted` is 1 for them.
"""
import argparse
import csv
import random


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--kind", choices=["mixed", "far"], default="mixed")
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drop", action="append", default=[])
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with open(options.source, newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    keep = [at for at, name in enumerate(header) if name not in options.drop]
    rows = [[row[at] for at in keep] for row in rows]
    numeric = [at for at in range(len(keep)) if all(number(row[at]) is not None for row in rows)]
    # Counts and codes of few kinds have no far values.
    long = [at for at in numeric if len({row[at] for row in rows}) > 32]
    planted = []
    for _ in range(round(options.share * len(rows))):
        row = [chance.choice(rows)[at] for at in range(len(keep))] if options.kind == "mixed" else list(chance.choice(rows))
        if options.kind == "far":
            for at in chance.sample(long, 2):
                largest = max(float(other[at]) for other in rows)
                row[at] = str(float(row[at]) * chance.uniform(3, 10) or largest)
        planted.append(row + ["1"])
    table = [row + ["0"] for row in rows] + planted
    chance.shuffle(table)
    with open(options.target, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[header[at] for at in keep] + ["planted"]] + table)


if __name__ == "__main__":
    main()

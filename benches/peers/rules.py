#!/usr/bin/env python3
"""kioskd's association rules beside mlxtend's fpgrowth and association_rules, on the same baskets and cores in one run.

    rules.py --data groceries.csv [--min-support 0.001] [--min-confidence 0.5] [--rounds 5]

Both find all rules, with several items on either side. They take turns; of each the wall time of every round counts, for kioskd with
starting the program and reading the file, for mlxtend from the one-hot table in memory (its import and the making of the table are not counted). That
both found the same rules is checked.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import pandas
from mlxtend.frequent_patterns import association_rules, fpgrowth
from mlxtend.preprocessing import TransactionEncoder

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[item.strip() for item in line.split(",") if item.strip()] for line in lines if line.strip()]


def ours(program, options):
    command = [program, "insight", "rules", "--data", options.data, "--min-support", str(options.min_support)]
    command += ["--min-confidence", str(options.min_confidence), "--any-consequent", "--json"]
    begun = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent = time.perf_counter() - begun
    rules = [json.loads(line) for line in told.splitlines()]
    return spent, {(frozenset(r["if"]), frozenset(r["then"])): (r["support"], r["confidence"], r["lift"]) for r in rules}


def theirs(table, options):
    begun = time.perf_counter()
    sets = fpgrowth(table, min_support=options.min_support, use_colnames=True)
    rules = association_rules(sets, metric="confidence", min_threshold=options.min_confidence)
    spent = time.perf_counter() - begun
    rows = zip(rules["antecedents"], rules["consequents"], rules["support"], rules["confidence"], rules["lift"])
    return spent, {(frozenset(a), frozenset(c)): (s, f, l) for a, c, s, f, l in rows}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=pathlib.Path, required=True)
    options.add_argument("--min-support", type=float, default=0.001)
    options.add_argument("--min-confidence", type=float, default=0.5)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--program", default=str(ROOT / "target/release/kioskd"))
    options = options.parse_args()
    baskets = read(options.data)
    encoder = TransactionEncoder()
    table = pandas.DataFrame(encoder.fit(baskets).transform(baskets), columns=encoder.columns_)
    spent = {"kioskd": [], "mlxtend": []}
    for _ in range(options.rounds):
        seconds, own = ours(options.program, options)
        spent["kioskd"].append(seconds)
        seconds, other = theirs(table, options)
        spent["mlxtend"].append(seconds)
    if own.keys() != other.keys():
        raise SystemExit(f"kioskd found {len(own)} rules, mlxtend {len(other)}: {len(own.keys() ^ other.keys())} are not in both")
    apart = max((abs(x - y) for rule in own for x, y in zip(own[rule], other[rule])), default=0.0)
    print(f"{len(baskets)} baskets, {len(own)} rules in both, figures apart by {apart:.1e} at most")
    for name, times in spent.items():
        print(f"{name:8} median {statistics.median(times):.3f} s, best {min(times):.3f} s of {options.rounds}")
    ratio = statistics.median(spent["mlxtend"]) / statistics.median(spent["kioskd"])
    print(f"kioskd is {ratio:.1f} times as fast (medians)")


if __name__ == "__main__":
    main()

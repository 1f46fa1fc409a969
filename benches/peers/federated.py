#!/usr/bin/env python3
"""Ten shops that learn together by files, beside one place that has all their rows.

    federated.py --data train.csv --label Revenue [--shops 10] [--rounds 30]

A fifth of the rows is kept back to measure on; the others are dealt out to the shops. The first model is trained for one pass on the first
shop's rows. In each round every shop runs `export-update`, and `merge` puts the changes together. In one place the same network is trained
with `train --preset network`. Prints both PR-AUCs.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--label", default="Revenue", help="default: %(default)s")
    parser.add_argument("--shops", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=30, help="default: %(default)s")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/kioskd", help="default: %(default)s")
    options = parser.parse_args()

    def kioskd(*arguments):
        command = [str(argument) for argument in (options.program, "behavior", *arguments, "--json")]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    with open(options.data, newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    order = np.random.default_rng(0).permutation(len(rows))
    test, learn = order[: len(rows) // 5], order[len(rows) // 5:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def write(name, chosen):
            with open(folder / name, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *(rows[at] for at in chosen)])
            return folder / name

        test, learn_all = write("test.csv", test), write("learn.csv", learn)
        shops = [write(f"shop{at}.csv", part) for at, part in enumerate(np.array_split(learn, options.shops))]
        network = ["--label", options.label, "--preset", "network"]
        kioskd("train", "--data", learn_all, *network, "--out", folder / "one")
        one = kioskd("evaluate", "--model", folder / "one", "--data", test)["pr_auc"]
        model = folder / "all"
        kioskd("train", "--data", shops[0], *network, "--epochs", 1, "--out", model)
        print(f"one place, all rows: PR-AUC {one:.4f}")
        for round_ in range(1, options.rounds + 1):
            updates = []
            for at, shop in enumerate(shops):
                updates.append(folder / f"update{at}.safetensors")
                kioskd("export-update", "--model", model, "--data", shop, "--seed", round_ * 100 + at, "--batch", 64, "--out", updates[-1])
            kioskd("merge", "--model", model, *updates, "--out", model)
            found = kioskd("evaluate", "--model", model, "--data", test)["pr_auc"]
            print(f"{options.shops} shops, round {round_}: PR-AUC {found:.4f}, {found - one:+.4f}", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""kioskd's learner for tables beside scikit-learn's boosted trees and PyTorch, on the same rows and cores in one run.

    behavior.py --data train.csv --label Revenue [--drop PageValues] [--splits 3] [--quick]
    behavior.py --data train.csv --label Revenue --speed [--rounds 5]

Quality: the file is split anew several times, 70 % to learn from and 30 % to measure on, with the same share of positives; every engine
learns from the same rows and is measured on the same others. The table has PR-AUC and F1, and how much kioskd is ahead, with the 95 %
interval of a bootstrap over the measured rows of all splits. Speed: the network in-64-64-1 with Adam, mini-batches of 32 and ten passes, in
PyTorch's usual loop and in `kioskd behavior train --preset seed`, in turns, on the threads of --threads. Times are wall and processor time.
"""
import argparse
import csv
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAWS = 1_000
TRUE = {"1", "true"}


def read(path, label, drop):
    """The header, the rows as text, and labels."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    header, rows = rows[0], rows[1:]
    labels = np.array([row[header.index(label)].lower() in TRUE for row in rows])
    keep = [at for at, name in enumerate(header) if name != label and name not in drop]
    return header, rows, labels, keep


def split(labels, seed, share=0.7):
    chance = np.random.default_rng(seed)
    learn = np.zeros(len(labels), bool)
    for kind in (False, True):
        rows = np.flatnonzero(labels == kind)
        chance.shuffle(rows)
        learn[rows[: round(share * len(rows))]] = True
    return np.flatnonzero(learn), np.flatnonzero(~learn)


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(cell.lower())


class Columns:
    """Numbers as they are; words, and whole numbers from 1 to 32 at most, as codes."""

    def __init__(self, rows, keep):
        self.numbers, self.words = [], []
        for at in keep:
            cells = {row[at] for row in rows}
            values = [number(cell) for cell in cells]
            is_number = all(value is not None for value in values)
            is_code = is_number and 2 < len(cells) <= 32 and all(v == int(v) and v > 0 for v in values)
            (self.numbers if is_number and not is_code else self.words).append((at, sorted(cells)))

    def matrix(self, rows):
        numbers = np.array([[number(row[at]) for at, _ in self.numbers] for row in rows], dtype=np.float64)
        codes = np.array([[cells.index(row[at]) for at, cells in self.words] for row in rows], dtype=np.float64)
        return numbers, codes


def f1(labels, said):
    right = (labels & said).sum()
    return 2 * right / max(1, labels.sum() + said.sum())


def best_threshold(labels, p):
    steps = np.arange(0.02, 0.98, 0.01)
    return steps[np.argmax([f1(labels, p >= step) for step in steps])]


# --- engines: (numbers, codes, labels, learn, test) -> probabilities of the test rows, threshold ------------------------------------------

def boosted(numbers, codes, labels, learn, test, **settings):
    """scikit-learn's trees; the threshold is that of the best F1 over five-fold predictions."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    data = np.hstack([numbers, codes])
    words = [False] * numbers.shape[1] + [True] * codes.shape[1]
    model = HistGradientBoostingClassifier(random_state=0, categorical_features=words, **settings)
    seen = cross_val_predict(model, data[learn], labels[learn], cv=5, method="predict_proba")[:, 1]
    return model.fit(data[learn], labels[learn]).predict_proba(data[test])[:, 1], best_threshold(labels[learn], seen)


# Set by hand, not searched.
SMALL = {"max_iter": 200, "learning_rate": 0.04, "max_leaf_nodes": 8, "min_samples_leaf": 40, "l2_regularization": 5, "max_features": 0.5}


def mlp(numbers, codes, labels, learn, test, members=1):
    """PyTorch: quantile-normal and log features, flags for non-zero, one-hot words, 128-64, dropout 0.4, AdamW, cosine, early stopping."""
    import torch
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    log = StandardScaler().fit(np.log1p(np.abs(numbers[learn])))
    ranks = QuantileTransformer(output_distribution="normal", n_quantiles=1000).fit(numbers[learn])
    one_hot = np.hstack([codes[:, [at]] == np.unique(codes[:, at]) for at in range(codes.shape[1])])
    data = np.hstack([log.transform(np.log1p(np.abs(numbers))), ranks.transform(numbers), numbers != 0, one_hot])
    data, target = torch.tensor(data, dtype=torch.float32), torch.tensor(labels, dtype=torch.float32)
    chance = np.random.default_rng(0)
    order = chance.permutation(learn)
    stop, fit = order[: len(order) // 7], order[len(order) // 7:]
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    p, seen = np.zeros(len(test)), np.zeros(len(stop))
    for seed in range(members):
        torch.manual_seed(seed)
        parts = [torch.nn.Linear(data.shape[1], 128), torch.nn.ReLU(), torch.nn.Dropout(0.4)]
        parts += [torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Dropout(0.4), torch.nn.Linear(64, 1)]
        network = torch.nn.Sequential(*parts)
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
        best = (np.inf, None)
        for _ in range(30):
            network.train()
            for rows in np.array_split(chance.permutation(fit), len(fit) // 256):
                optimizer.zero_grad()
                loss(network(data[rows]).squeeze(1), target[rows]).backward()
                optimizer.step()
            falling.step()
            network.eval()
            with torch.no_grad():
                now = loss(network(data[stop]).squeeze(1), target[stop]).item()
            if now < best[0]:
                best = (now, {name: value.clone() for name, value in network.state_dict().items()})
        network.load_state_dict(best[1])
        with torch.no_grad():
            p += torch.sigmoid(network(data[test]).squeeze(1)).numpy() / members
            seen += torch.sigmoid(network(data[stop]).squeeze(1)).numpy() / members
    return p, best_threshold(labels[stop], seen)


def kioskd(options, header, rows, learn, test, folder):
    for name, chosen in (("learn", learn), ("test", test)):
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *(rows[at] for at in chosen)])
    train = [options.program, "behavior", "train", "--data", folder / "learn.csv", "--label", options.label, "--out", folder / "model", "--json"]
    train += [argument for name in options.drop for argument in ("--drop", name)]
    subprocess.run([str(argument) for argument in train], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    judge = [options.program, "behavior", "evaluate", "--model", folder / "model", "--data", folder / "test.csv", "--json"]
    judge += ["--probabilities", folder / "p.csv"]
    printed = subprocess.run([str(argument) for argument in judge], check=True, capture_output=True, text=True).stdout
    p = np.loadtxt(folder / "p.csv", delimiter=",", skiprows=1)[:, 1]
    return p, json.loads(printed)["threshold"]


def quality(options):
    from sklearn.metrics import average_precision_score as pr_auc

    header, rows, labels, keep = read(options.data, options.label, options.drop)
    numbers, codes = Columns(rows, keep).matrix(rows)
    engines = {
        "HistGradientBoosting, defaults": lambda learn, test: boosted(numbers, codes, labels, learn, test),
        "HistGradientBoosting, small trees": lambda learn, test: boosted(numbers, codes, labels, learn, test, **SMALL),
        "PyTorch MLP": lambda learn, test: mlp(numbers, codes, labels, learn, test),
    }
    if not options.quick:
        engines["PyTorch MLP, eight averaged"] = lambda learn, test: mlp(numbers, codes, labels, learn, test, members=8)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.splits):
            learn, test = split(labels, seed)
            found = {name: engine(learn, test) for name, engine in engines.items()}
            found["kioskd"] = kioskd(options, header, rows, learn, test, pathlib.Path(folder))
            for name, (p, threshold) in found.items():
                results.setdefault(name, []).append((labels[test], np.asarray(p), threshold))
    chance = np.random.default_rng(0)
    draws = [[chance.integers(0, len(y), len(y)) for y, _, _ in results["kioskd"]] for _ in range(DRAWS)]

    def mean_area(name, at=None):
        areas = (pr_auc(y[rows], p[rows]) for (y, p, _), rows in zip(results[name], at or [slice(None)] * options.splits))
        return statistics.fmean(areas)

    print(f"\n{options.splits} splits of {len(labels)} rows, without {options.drop or 'nothing'}\n")
    print("| engine | PR-AUC, mean | kioskd is ahead by (95 %) | F1, mean |\n|---|---|---|---|")
    ours = [mean_area("kioskd", at) for at in draws]
    for name, found in results.items():
        ahead = "" if name == "kioskd" else describe(mean_area("kioskd") - mean_area(name), [o - mean_area(name, at) for o, at in zip(ours, draws)])
        mean_f1 = statistics.fmean(f1(y, p >= threshold) for y, p, threshold in found)
        print(f"| {name} | {mean_area(name):.4f} | {ahead} | {mean_f1:.4f} |")


def describe(value, draws):
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


# --- speed ------------------------------------------------------------------------------------------------------------------------------

def usual_loop(data, target, threads):
    """The seed's loop as it is written everywhere: TensorDataset, DataLoader, Adam."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    rows = torch.utils.data.TensorDataset(data, target)
    loader = torch.utils.data.DataLoader(rows, batch_size=32, shuffle=True)
    network = torch.nn.Sequential(
        torch.nn.Linear(data.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1), torch.nn.Sigmoid()
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss = torch.nn.BCELoss()
    for _ in range(10):
        for x, y in loader:
            optimizer.zero_grad()
            loss(network(x).squeeze(1), y).backward()
            optimizer.step()


def speed(options):
    import torch

    header, rows, labels, keep = read(options.data, options.label, options.drop)
    numbers, codes = Columns(rows, keep).matrix(rows)
    one_hot = np.hstack([codes[:, [at]] == np.unique(codes[:, at]) for at in range(codes.shape[1])])
    # kioskd learns from four fifths and chooses its threshold on the rest: PyTorch gets as many rows.
    learn = split(labels, 0, 0.8)[0]
    data = np.hstack([(numbers - numbers.mean(0)) / (numbers.std(0) + 1e-9), one_hot])[learn]
    data, target = torch.tensor(data, dtype=torch.float32), torch.tensor(labels[learn], dtype=torch.float32)
    times = {"PyTorch, usual loop": [], "kioskd, training": [], "kioskd, whole program with reading and writing": []}
    with tempfile.TemporaryDirectory() as folder:
        train = [options.program, "behavior", "train", "--data", options.data, "--label", options.label, "--preset", "seed", "--json"]
        train += ["--threads", options.threads, "--out", folder]
        for _ in range(options.rounds):
            started, processor = time.perf_counter(), time.process_time()
            usual_loop(data, target, options.threads)
            times["PyTorch, usual loop"].append((time.perf_counter() - started, time.process_time() - processor))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.perf_counter()
            printed = subprocess.run([str(argument) for argument in train], check=True, capture_output=True, text=True).stdout
            wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times["kioskd, training"].append((json.loads(printed)["train_ms"] / 1e3, float("nan")))
            times["kioskd, whole program with reading and writing"].append((wall, processor))
    print(f"\n{len(target)} rows of {data.shape[1]} numbers, ten passes, {options.threads} threads, {options.rounds} rounds in turns\n")
    print("| engine | wall, s (lowest to highest) | processor, s | times faster than PyTorch, by wall | by processor |\n|---|---|---|---|---|")
    theirs = times["PyTorch, usual loop"]
    for name, found in times.items():
        walls, processors = [wall for wall, _ in found], [processor for _, processor in found]
        by = [statistics.median(t[at] / o[at] for t, o in zip(theirs, found)) for at in (0, 1)]
        span = f"{statistics.median(walls):.3f} ({min(walls):.3f} to {max(walls):.3f})"
        print(f"| {name} | {span} | {statistics.median(processors):.3f} | {by[0]:.1f} | {by[1]:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--label", default="Revenue", help="default: %(default)s")
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--splits", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="leave the eight averaged networks out")
    parser.add_argument("--speed", action="store_true", help="compare the time of training instead")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/kioskd", help="default: %(default)s")
    options = parser.parse_args()
    (speed if options.speed else quality)(options)


if __name__ == "__main__":
    main()

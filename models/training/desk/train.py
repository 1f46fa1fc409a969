#!/usr/bin/env python3
"""Trains the adapter that turns MiniLM's sentence vectors towards what people ask at service desks.

    train.py --model FOLDER --data FILE... [--rated FILE...] --out ADAPTER.safetensors

Example:
    train.py --model models/fetched/minilm --data banking77/train.csv clinc150/train_val.json sentiment/train.tsv \\
        --out models/adapters/minilm-desk.safetensors

Each file is a task of its own: a linear layer on the mean states of layers 2, 4 and 6 tells its labels apart, by cross-entropy. Only the
adapter is kept. One sentence in eight is kept back (labelled.py). With --rated, sentences that people gave a number from -4 to 4 are one
more task; none that a labelled file has too is read. A GPU is used where there is one: 4 minutes; one core: about 5 hours.
"""
from __future__ import annotations

import argparse
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import List

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from minilm import WIDTH, Network
from labelled import read, read_rated, training_part

LAYERS = (2, 4, 6)
PIECES_MAX = 96
# Logits are this many times the product of head and states, as the states have length 1.
SCALE = 8.0
HEAD_RATE, WARM_UP, CLIP_NORM = 5e-3, 0.06, 1.0
RATED_WEIGHT = 2.0


@dataclass
class Task:
    """Sentences as word pieces, and the label of each."""

    pieces: List[List[int]]
    labels: torch.Tensor  # the number of each label; of rated sentences the chance of "positive", and classes is 1
    classes: int
    times: int = 1  # how often a sentence comes in an epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="with model.safetensors and tokenizer.json")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FILE", help="labelled sentences, see labelled.py")
    parser.add_argument("--rated", type=Path, nargs="*", default=[], metavar="FILE.txt", help="rated sentences: id, number and text by tabs")
    parser.add_argument("--twice", type=Path, nargs="*", default=[], metavar="FILE", help="of --data: sentences that come twice an epoch")
    parser.add_argument("--out", type=Path, required=True, metavar="ADAPTER.safetensors")
    parser.add_argument("--rank", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate; default: %(default)s")
    parser.add_argument("--epochs", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=96, help="sentences a step; default: %(default)s")
    parser.add_argument("--dropout", type=float, default=0.1, help="of states; as many word pieces are left out; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    network = Network(load_file(arguments.model / "model.safetensors"), arguments.rank, device, arguments.seed)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(PIECES_MAX)
    tasks = [task_of(path, tokenizer, 2 if path in arguments.twice else 1) for path in arguments.data]
    if arguments.rated:
        tasks.append(rated_task(arguments.rated, arguments.data, tokenizer))
    train(network, tasks, arguments)
    temporary = arguments.out.with_suffix(".part")
    save_file(network.export(), temporary)
    os.replace(temporary, arguments.out)


def task_of(path: Path, tokenizer: Tokenizer, times: int) -> Task:
    rows = training_part(read(path))
    names = sorted({label for _, label in rows})
    place = {name: at for at, name in enumerate(names)}
    pieces = [encoding.ids for encoding in tokenizer.encode_batch([text for text, _ in rows])]
    print(f"{path}: {len(rows)} sentences, {len(names)} labels", file=sys.stderr)
    return Task(pieces, torch.tensor([place[label] for _, label in rows]), len(names), times)


def rated_task(rated: List[Path], labelled: List[Path], tokenizer: Tokenizer) -> Task:
    """Without sentences that a labelled file has as well: some of those are kept back."""
    known = {" ".join(text.lower().split()) for path in labelled for text, _ in read(path)}
    rows = [row for path in rated for row in read_rated(path) if " ".join(row[0].lower().split()) not in known]
    pieces = [encoding.ids for encoding in tokenizer.encode_batch([text for text, _ in rows])]
    print(f"{len(rows)} rated sentences", file=sys.stderr)
    return Task(pieces, torch.tensor([chance for _, chance in rows]), 1)


def train(network: Network, tasks: List[Task], arguments: argparse.Namespace) -> None:
    heads = [(0.02 * torch.randn(task.classes, WIDTH * len(LAYERS), device=network.device)).requires_grad_() for task in tasks]
    parameters = list(network.adapter.values())
    optimizer = torch.optim.AdamW([
        {"params": parameters, "rate": arguments.rate, "weight_decay": 0.01}, {"params": heads, "rate": HEAD_RATE, "weight_decay": 0.0},
    ], lr=arguments.rate)
    rng = np.random.default_rng(arguments.seed)
    steps = arguments.epochs * sum(math.ceil(task.times * len(task.pieces) / arguments.batch) for task in tasks)
    began, step = time.monotonic(), 0
    for epoch in range(arguments.epochs):
        jobs = []
        for at, task in enumerate(tasks):
            order = np.concatenate([rng.permutation(len(task.pieces)) for _ in range(task.times)])
            jobs += [(at, order[first:first + arguments.batch]) for first in range(0, len(order), arguments.batch)]
        losses = []
        for job in rng.permutation(len(jobs)):
            at, rows = jobs[job]
            done = step / steps
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * min(1, (done + 1 / steps) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done))
            pieces = [thinned(tasks[at].pieces[row], arguments.dropout, rng) for row in rows]
            states = network.pooled(pieces, LAYERS, arguments.dropout)
            logits = SCALE * F.linear(F.dropout(states, arguments.dropout), heads[at])
            loss = loss_of(logits, tasks[at], rows)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
            optimizer.step()
            step += 1
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {arguments.epochs}  {time.monotonic() - began:.0f} s  loss {np.mean(losses):.3f}", file=sys.stderr, flush=True)


def loss_of(logits: torch.Tensor, task: Task, rows: np.ndarray) -> torch.Tensor:
    wanted = task.labels[rows].to(logits.device)
    if task.classes == 1:
        return RATED_WEIGHT * F.binary_cross_entropy_with_logits(logits[:, 0], wanted)
    return F.cross_entropy(logits, wanted, label_smoothing=0.1)


def thinned(pieces: List[int], share: float, rng: np.random.Generator) -> List[int]:
    """Half of the sentences lose some of their pieces, as a recogniser may lose words; the marks at both ends stay."""
    if rng.random() < 0.5:
        return pieces
    return [piece for at, piece in enumerate(pieces) if at in (0, len(pieces) - 1) or rng.random() > share]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Trains an adapter that gives in a short window what the public weights give in the full one.

    fit.py --model base --cache CACHE --out ADAPTER.npz [--steps 400] [--minutes 50] [--init ADAPTER.npz]

Examples:
    fit.py --model tiny.en --cache var/training/tiny.en/cache --out var/training/tiny.en/adapter.npz
    fit.py --model tiny.en --init models/adapters/tiny.en-short-window.npz --rate 0.0005 --cache CACHE --out ADAPTER.npz
    tensorboard --logdir var/training

The rate falls on a cosine to zero at --steps or --minutes, whichever comes first. The state is saved beside ADAPTER.npz every 20 steps:
the same command goes on after a kill, and does nothing once it is done. Event files for TensorBoard are written there too.
"""
from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import torch

import checkpoint
from model_weights import public_model
from network import FULL_UNITS, Network
from student import BATCH_CLIPS, Batches, at_margin, losses

WARM_UP_STEPS = 30
SAVE_STEPS, REPORT_STEPS, CHECK_STEPS = 20, 10, 100
# Every so many-th clip of the cache is never trained on; the curve of those tells whether the rest is learnt by heart.
CHECK_EVERY = 40
CHECK_MARGINS = (16, 32, FULL_UNITS)
CLIP_NORM = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the same as for cache.py")
    parser.add_argument("--cache", type=Path, required=True, help="folder that cache.py made")
    parser.add_argument("--out", type=Path, required=True, metavar="ADAPTER.npz")
    parser.add_argument("--steps", type=int, default=400, help="default: %(default)s")
    parser.add_argument("--minutes", type=float, default=math.inf, help="training time, that of earlier runs included")
    parser.add_argument("--init", type=Path, metavar="ADAPTER.npz", help="start from this adapter")
    parser.add_argument("--batch", type=int, default=BATCH_CLIPS, help="clips a step at most; a GPU takes 48; default: %(default)s")
    parser.add_argument("--rank", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("var/training/weights"), help="for downloaded weights; default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="of the processor; default: %(default)s")
    fit(parser.parse_args())


def fit(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    network = new_student(arguments)
    parameters = list(network.adapter.values())
    optimizer = torch.optim.AdamW(parameters, lr=arguments.rate, betas=(0.9, 0.98), weight_decay=0.0)
    clips = read_cache(arguments.cache)
    checks = clips[::CHECK_EVERY]
    batches = Batches([clip for number, clip in enumerate(clips) if number % CHECK_EVERY], arguments.seed, arguments.batch)
    learnt = sum(map(torch.Tensor.numel, parameters))
    print(f"{len(batches.clips)} clips, {learnt:,} numbers to learn; {network.device}", file=sys.stderr, flush=True)

    state_path = arguments.out.with_suffix(".state.pt")
    at = checkpoint.resume(state_path, network.adapter, optimizer) or {"step": 0, "seconds": 0.0}
    step, before = at["step"], at["seconds"]
    events = event_writer(arguments.out.with_suffix(".events"), step)
    began, recent = time.monotonic(), []
    while (done := progress(step, before + time.monotonic() - began, arguments)) < 1:
        rate = arguments.rate * min(1, (step + 1) / WARM_UP_STEPS) * (0.5 + 0.5 * math.cos(math.pi * done))
        recent.append(learn(network, batches.at(step), parameters, optimizer, rate))
        step += 1
        if step % REPORT_STEPS == 0:
            report(events, step, before + time.monotonic() - began, rate, recent)
            recent = []
        if step % SAVE_STEPS == 0:
            checkpoint.save(state_path, step, before + time.monotonic() - began, network.adapter, optimizer)
            checkpoint.export(arguments.out, network.adapter)
        if step % CHECK_STEPS == 0:
            check(network, checks, events, step)
    checkpoint.save(state_path, step, before + time.monotonic() - began, network.adapter, optimizer)
    checkpoint.export(arguments.out, network.adapter)
    check(network, checks, events, step)
    events.close()
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes after {step} steps", file=sys.stderr)


def new_student(arguments: argparse.Namespace) -> Network:
    model = public_model(arguments.model, arguments.work)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Network(model.tensors, model.shape, device, arguments.rank)
    if arguments.init:
        with np.load(arguments.init, allow_pickle=False) as arrays:
            network.load_adapter(dict(arrays))
    return network


def read_cache(folder: Path) -> List[dict]:
    shards = sorted(folder.glob("*.pt"))
    if not shards:
        raise SystemExit(f"{folder} has no shards; run cache.py first")
    return [clip for shard in shards for clip in torch.load(shard, weights_only=True)]


def progress(step: int, seconds: float, arguments: argparse.Namespace) -> float:
    return max(step / arguments.steps, seconds / 60 / arguments.minutes)


def learn(network: Network, batch, parameters: List[torch.Tensor], optimizer: torch.optim.Optimizer, rate: float) -> Tuple[float, float]:
    for group in optimizer.param_groups:
        group["lr"] = rate
    divergence, error = losses(network, batch)
    optimizer.zero_grad()
    (divergence + error).backward()
    torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
    optimizer.step()
    return divergence.item(), error.item()


def report(events, step: int, seconds: float, rate: float, recent: List[Tuple[float, float]]) -> None:
    divergence, error = np.mean(recent, 0)
    print(f"step {step}  {seconds:.0f} s  KL {divergence:.4f}  states {error:.4f}  rate {rate:.6f}", file=sys.stderr, flush=True)
    for name, value in (("train/kl_nats", divergence), ("train/state_error", error), ("train/rate", rate), ("train/seconds", seconds)):
        events.add_scalar(name, value, step)


@torch.no_grad()
def check(network: Network, checks: List[dict], events, step: int) -> Dict[int, float]:
    """Mean KL in nats on clips that are not trained on, by margin in units; the full window on a few only, being slow."""
    found = {}
    for margin in CHECK_MARGINS:
        chosen = checks[:4] if margin == FULL_UNITS else checks
        found[margin] = float(np.mean([losses(network, at_margin(clip, margin))[0].item() for clip in chosen]))
        events.add_scalar(f"check/kl_nats_margin_{margin}", found[margin], step)
    print("  clips kept back, KL by margin: " + ", ".join(f"+{m} {v:.4f}" for m, v in found.items()), file=sys.stderr, flush=True)
    return found


def event_writer(folder: Path, step: int):
    # Here and not above: it takes seconds to load, and --help should not.
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)


if __name__ == "__main__":
    main()

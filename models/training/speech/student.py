"""Batches of short windows, and how far the student is from the teacher in them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F

from network import FULL_UNITS, Network
from vocabulary import NO_TIMESTAMPS, TIMESTAMPS

BATCH_CLIPS = 8
# Bounds memory and time of a step for each clip of the largest batch: with eight, five of 4.5 s fill it, or one of the full window.
UNITS_A_CLIP = 160
# How often a window exceeds its clip by how many units of 20 ms. kioskd leaves 32; the rest is room for another choice, and the rare
# wide ones keep the full window as it was.
WINDOWS = ((0.60, 8, 41), (0.28, 0, 65), (0.10, 64, 512))
TIMESTAMPS_SHARE = 0.65
# Where the text ends is what short windows get wrong: without that, a text goes on without end.
END_WEIGHT = 3.0
NOT_GIVEN = -1


@dataclass(frozen=True)
class Batch:
    """Clips of the cache, the window of each in units, and the prompt that all are under."""

    clips: List[dict]
    units: List[int]
    mode: str


class Batches:
    """The batch of every step, made of the seed and the step alone: a run that goes on needs to remember nothing else."""

    def __init__(self, clips: List[dict], seed: int, batch_clips: int = BATCH_CLIPS) -> None:
        self.batch_clips = batch_clips
        self.clips = sorted(clips, key=lambda clip: clip["units"])
        self.seed = seed
        # A short clip shares its batch with seven more, a long one has it alone: drawn this often, all are seen equally often.
        chance = np.array([1 / self._room(clip["units"]) for clip in self.clips])
        self.chance = chance / chance.sum()

    def _room(self, units: int) -> int:
        return max(1, min(self.batch_clips, self.batch_clips * UNITS_A_CLIP // (units + 32)))

    def at(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step])
        pivot = int(rng.choice(len(self.clips), p=self.chance))
        wanted = self._room(self.clips[pivot]["units"])
        # Companions of like length, so that little of the batch is padding.
        near = np.arange(max(0, pivot - 3 * wanted), min(len(self.clips), pivot + wanted + 1))
        others = rng.permutation(near[near != pivot])[:wanted - 1]
        clips = [self.clips[i] for i in (pivot, *others)]
        mode = TIMESTAMPS if rng.random() < TIMESTAMPS_SHARE else NO_TIMESTAMPS
        kind, below = rng.random(), 0.0
        for share, low, high in WINDOWS:
            below += share
            if kind < below:
                return Batch(clips, [min(FULL_UNITS, clip["units"] + int(rng.integers(low, high))) for clip in clips], mode)
        return Batch(clips[:1], [FULL_UNITS], mode)


def losses(network: Network, batch: Batch) -> Tuple[torch.Tensor, torch.Tensor]:
    """Weighted means over the teacher's positions: KL divergence of the next token in nats, and relative squared error of the states.

    Where the words of a clip were given and the teacher would have chosen another, its state is no example: there the divergence is from
    the given token.
    """
    length = max(batch.units)
    mask = network.key_mask(batch.units, length)
    cross = network.cross(network.encode(mels_of(batch, length).to(network.device), mask))
    tokens, places = tokens_of(batch)
    out = network.decode(tokens.to(network.device), cross, mask)
    states, targets, weights, given = [], [], [], []
    for row, (clip, positions) in enumerate(zip(batch.clips, places)):
        states.append(out[row, positions])
        targets.append(clip["lessons"][batch.mode][2][positions].float())
        weights.append(torch.tensor([1.0] * (len(positions) - 1) + [END_WEIGHT]))
        prompt, text, _ = clip["lessons"][batch.mode]
        # Timestamps, which lie above the end of the text, are the teacher's own choice always.
        told = [token if clip.get("told") and token <= text[-1] else NOT_GIVEN for token in text]
        given += [NOT_GIVEN] * (len(positions) - len(text)) + told
    states = torch.cat(states)
    targets, weights = torch.cat(targets).to(network.device), torch.cat(weights).to(network.device)
    weights = weights / weights.sum()
    given = torch.tensor(given, device=network.device)
    error = (states - targets).square().mean(-1) / targets.var()
    with torch.no_grad():
        wanted = network.logits(targets).log_softmax(-1)
        missed = (given != NOT_GIVEN) & (wanted.argmax(-1) != given)
    chances = network.logits(states).log_softmax(-1)
    divergence = F.kl_div(chances, wanted, log_target=True, reduction="none").sum(-1)
    divergence = torch.where(missed, -chances.gather(1, given.clamp(min=0)[:, None])[:, 0], divergence)
    error = error.masked_fill(missed, 0.0)
    return (weights * divergence).sum(), (weights * error).sum()


def mels_of(batch: Batch, length: int) -> torch.Tensor:
    """[clips, 80, 2 * length]. Past a clip's own window stand zeros, as whisper.cpp's convolutions see them past its end."""
    mel = torch.zeros(len(batch.clips), 80, 2 * length)
    for row, (clip, units) in enumerate(zip(batch.clips, batch.units)):
        frames = min(2 * units, clip["mel"].shape[1])
        mel[row, :, :2 * units] = clip["pad"]
        mel[row, :, :frames] = clip["mel"][:, :frames].float()
    return mel


def tokens_of(batch: Batch) -> Tuple[torch.Tensor, List[List[int]]]:
    """Prompt and text of each clip [clips, longest], and the positions to learn: those that give the text, its end and the language."""
    rows: List[List[int]] = []
    places: List[List[int]] = []
    for clip in batch.clips:
        prompt, text, _ = clip["lessons"][batch.mode]
        row = prompt + text[:-1]
        rows.append(row)
        # Position 0 gives the language; the rest of the prompt is always given.
        places.append(sorted({0, *range(len(prompt) - 1, len(row))}))
    longest = max(map(len, rows))
    # What follows a row's own tokens is never looked at.
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows]), places


def at_margin(clip: Dict, margin: int) -> Batch:
    return Batch([clip], [min(FULL_UNITS, clip["units"] + margin)], TIMESTAMPS)

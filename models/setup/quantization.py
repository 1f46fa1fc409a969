"""ggml's block quantization: 32 neighbouring values of a row share a scale.

Every operation here is elementwise or a minimum or maximum, so the bytes do not depend on the processor or on numpy's release.
"""
from __future__ import annotations

import numpy as np

BLOCK = 32


def q8_0(matrix: np.ndarray) -> bytes:
    """x = scale * q, q in -127..127. A block is the scale (f16) and 32 bytes: 8.5 bits a value."""
    blocks = _blocks(matrix)
    scale = np.abs(blocks).max(axis=1) / np.float32(127)
    quants = np.rint(blocks * _inverse(scale)[:, None]).astype(np.int8)
    packed = np.empty((len(blocks), 2 + BLOCK), np.uint8)
    packed[:, :2] = _f16_bytes(scale)
    packed[:, 2:] = quants.view(np.uint8)
    return packed.tobytes()


def q5_1(matrix: np.ndarray) -> bytes:
    """x = scale * q + low, q in 0..31. A block is scale and low (f16), the 32 fifth bits, and 32 half bytes: 6 bits a value."""
    blocks = _blocks(matrix)
    low = blocks.min(axis=1)
    scale = (blocks.max(axis=1) - low) / np.float32(31)
    steps = (blocks - low[:, None]) * _inverse(scale)[:, None]
    quants = np.floor(steps + np.float32(0.5)).clip(0, 31).astype(np.uint8)
    packed = np.empty((len(blocks), 8 + BLOCK // 2), np.uint8)
    packed[:, 0:2] = _f16_bytes(scale)
    packed[:, 2:4] = _f16_bytes(low)
    packed[:, 4:8] = np.packbits(quants >> 4, axis=1, bitorder="little")
    first_half, second_half = quants[:, :BLOCK // 2] & 15, quants[:, BLOCK // 2:] & 15
    packed[:, 8:] = first_half | (second_half << 4)
    return packed.tobytes()


def _blocks(matrix: np.ndarray) -> np.ndarray:
    return matrix.astype(np.float32).reshape(-1, BLOCK)


def _inverse(scale: np.ndarray) -> np.ndarray:
    """1 / scale, and 0 for a block of equal values, whose quants are then all 0."""
    return np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > 0)


def _f16_bytes(values: np.ndarray) -> np.ndarray:
    return values.astype("<f2")[:, None].view(np.uint8)

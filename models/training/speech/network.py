"""Whisper as functions over its tensors, in any window, with or without a trainable adapter.

Units of a window are encoder positions: 20 ms, 2 mel frames, 320 samples. The full window has 1,500 of them.
"""
from __future__ import annotations

import math
from typing import Dict, List, Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F

from model_weights import Shape

FULL_UNITS = 1500
SHUT_OUT = -1e4
ALPHA = 16.0
Cross = List[Tuple[torch.Tensor, torch.Tensor]]


class Network:
    """Frozen weights and, with `rank` above 0, `adapter`: low-rank pairs on all block matrices, deltas on all LayerNorms.

    lora_A [rank, in] starts at random and lora_B [out, rank] at zero, so that an untrained adapter changes nothing (Hu et al., "LoRA",
    2021).
    """

    def __init__(self, tensors: Dict[str, np.ndarray], shape: Shape, device: torch.device, rank: int = 0) -> None:
        self.shape, self.device, self.rank = shape, device, rank
        self.weights = {name: torch.from_numpy(np.array(tensor, np.float32)).to(device) for name, tensor in tensors.items()}
        self.adapter = self._new_adapter() if rank else {}

    def _new_adapter(self) -> Dict[str, torch.Tensor]:
        adapter = {}
        for name, tensor in self.weights.items():
            if tensor.ndim == 2 and ".blocks." in name:
                out_width, in_width = tensor.shape
                adapter[f"{name}.lora_A"] = (torch.randn(self.rank, in_width) / math.sqrt(in_width)).to(self.device)
                adapter[f"{name}.lora_B"] = torch.zeros(out_width, self.rank, device=self.device)
            elif "_ln." in name or "decoder.ln." in name or "ln_post." in name:
                adapter[f"{name}.delta"] = torch.zeros_like(tensor)
        for tensor in adapter.values():
            tensor.requires_grad_()
        return adapter

    def load_adapter(self, arrays: Dict[str, np.ndarray]) -> None:
        """Takes over an exported adapter; `alpha` may differ from ours, since only its product with lora_B counts."""
        factor = float(arrays["alpha"]) / ALPHA
        with torch.no_grad():
            for name, tensor in self.adapter.items():
                array = torch.from_numpy(np.array(arrays[name], np.float32))
                if array.shape != tensor.shape:
                    sizes = f"{list(array.shape)} in the adapter, not {list(tensor.shape)}"
                    raise SystemExit(f"{name} is {sizes}; give its own --rank and --model")
                tensor.copy_(array * (factor if name.endswith(".lora_B") else 1.0))

    def encode(self, mel: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """mel [clips, 80, 2 * units] -> [clips, units, width]"""
        x = F.gelu(F.conv1d(mel, self.weights["encoder.conv1.weight"], self.weights["encoder.conv1.bias"], padding=1))
        x = F.gelu(F.conv1d(x, self.weights["encoder.conv2.weight"], self.weights["encoder.conv2.bias"], padding=1, stride=2))
        x = x.transpose(1, 2) + self.weights["encoder.positional_embedding"][:x.shape[2]]
        for layer in range(self.shape.layers):
            block = f"encoder.blocks.{layer}"
            h = self._norm(f"{block}.attn_ln", x)
            query, key, value = (self._heads(self._linear(f"{block}.attn.{role}", h)) for role in ("query", "key", "value"))
            x = x + self._linear(f"{block}.attn.out", self._attend(query, key, value, mask))
            x = x + self._mlp(block, x)
        return self._norm("encoder.ln_post", x)

    def cross(self, audio: torch.Tensor) -> Cross:
        """Keys and values [clips, heads, units, 64] of the encoder's output, for every layer of the decoder."""
        return [
            tuple(self._heads(self._linear(f"decoder.blocks.{layer}.cross_attn.{role}", audio)) for role in ("key", "value"))
            for layer in range(self.shape.layers)
        ]

    def decode(self, tokens: torch.Tensor, cross: Cross, mask: Optional[torch.Tensor], past: Optional[list] = None) -> torch.Tensor:
        """tokens [rows, n] -> states after the last norm [rows, n, width].

        `past`, a list of one None or (keys, values) a layer, is continued in place: then `tokens` are only the new ones.
        """
        start = past[0][0].shape[2] if past and past[0] else 0
        length = tokens.shape[1]
        x = F.embedding(tokens, self.weights["decoder.token_embedding.weight"])
        x = x + self.weights["decoder.positional_embedding"][start:start + length]
        causal = torch.full((length, length), SHUT_OUT, device=self.device).triu(1) if length > 1 else None
        for layer in range(self.shape.layers):
            block = f"decoder.blocks.{layer}"
            h = self._norm(f"{block}.attn_ln", x)
            query, key, value = (self._heads(self._linear(f"{block}.attn.{role}", h)) for role in ("query", "key", "value"))
            if past is not None:
                if past[layer]:
                    key, value = torch.cat([past[layer][0], key], 2), torch.cat([past[layer][1], value], 2)
                past[layer] = (key, value)
            x = x + self._linear(f"{block}.attn.out", self._attend(query, key, value, causal))
            query = self._heads(self._linear(f"{block}.cross_attn.query", self._norm(f"{block}.cross_attn_ln", x)))
            x = x + self._linear(f"{block}.cross_attn.out", self._attend(query, *cross[layer], mask))
            x = x + self._mlp(block, x)
        return self._norm("decoder.ln", x)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        return F.linear(states, self.weights["decoder.token_embedding.weight"])

    def key_mask(self, units: List[int], length: int) -> Optional[torch.Tensor]:
        """[clips, 1, 1, length], added to attention scores: shuts out positions past each clip's own window."""
        if all(own == length for own in units):
            return None
        past_end = torch.arange(length)[None] >= torch.tensor(units)[:, None]
        return torch.zeros(past_end.shape).masked_fill(past_end, SHUT_OUT)[:, None, None].to(self.device)

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        key = f"{name}.weight"
        y = F.linear(x, self.weights[key], self.weights.get(f"{name}.bias"))
        if self.rank:
            y = y + ALPHA / self.rank * F.linear(F.linear(x, self.adapter[f"{key}.lora_A"]), self.adapter[f"{key}.lora_B"])
        return y

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        if self.rank:
            weight, bias = weight + self.adapter[f"{name}.weight.delta"], bias + self.adapter[f"{name}.bias.delta"]
        return F.layer_norm(x, (self.shape.width,), weight, bias)

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], self.shape.heads, -1).transpose(1, 2)

    @staticmethod
    def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)

    def _mlp(self, block: str, x: torch.Tensor) -> torch.Tensor:
        return self._linear(f"{block}.mlp.2", F.gelu(self._linear(f"{block}.mlp.0", self._norm(f"{block}.mlp_ln", x))))

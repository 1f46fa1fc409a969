"""MiniLM as a function over its tensors, with a trainable low-rank adapter (Hu et al., "LoRA", 2021)."""
from __future__ import annotations

import math
from typing import Dict, List, Tuple

import torch
import torch.nn.functional as F

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
ALPHA = 16.0


class Network:
    """Frozen weights; `adapter` has lora_A [rank, in] and lora_B [out, rank] for each matrix of a layer, a delta for each LayerNorm."""

    def __init__(self, tensors: Dict[str, torch.Tensor], rank: int, device: torch.device, seed: int) -> None:
        self.weights = {name: tensor.float().to(device) for name, tensor in tensors.items() if tensor.is_floating_point()}
        self.rank, self.device = rank, device
        draw = torch.Generator().manual_seed(seed)
        self.adapter: Dict[str, torch.Tensor] = {}
        for name, tensor in self.weights.items():
            if tensor.ndim == 2 and "encoder.layer" in name:
                out_width, in_width = tensor.shape
                start = torch.randn(rank, in_width, generator=draw) / math.sqrt(in_width)
                self.adapter[f"{name}.lora_A"] = start.to(device)
                self.adapter[f"{name}.lora_B"] = torch.zeros(out_width, rank, device=device)
            elif "LayerNorm" in name:
                self.adapter[f"{name}.delta"] = torch.zeros_like(tensor)
        for tensor in self.adapter.values():
            tensor.requires_grad_()

    def pooled(self, sentences: List[List[int]], layers: Tuple[int, ...], dropout: float) -> torch.Tensor:
        """Token ids -> [sentences, layers * 384]: the mean state of each layer, of length 1; layer 0 is what goes into the first."""
        ids, mask = self._padded(sentences)
        shut_out = torch.zeros(mask.shape, device=self.device).masked_fill(~mask, -1e4)[:, None, None]
        x = F.embedding(ids, self.weights["embeddings.word_embeddings.weight"])
        x = x + self.weights["embeddings.position_embeddings.weight"][:ids.shape[1]] + self.weights["embeddings.token_type_embeddings.weight"][0]
        x = F.dropout(self._norm("embeddings.LayerNorm", x), dropout)
        states = [x]
        for layer in range(LAYERS):
            x = self._layer(f"encoder.layer.{layer}", x, shut_out, dropout)
            states.append(x)
        weights = mask[..., None].float()
        return torch.cat([F.normalize((states[layer] * weights).sum(1) / weights.sum(1), dim=-1) for layer in layers], -1)

    def _layer(self, name: str, x: torch.Tensor, shut_out: torch.Tensor, dropout: float) -> torch.Tensor:
        query, key, value = (self._heads(self._linear(f"{name}.attention.self.{role}", x)) for role in ("query", "key", "value"))
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=shut_out).transpose(1, 2).flatten(2)
        attended = F.dropout(self._linear(f"{name}.attention.output.dense", attended), dropout)
        x = self._norm(f"{name}.attention.output.LayerNorm", x + attended)
        inner = self._linear(f"{name}.output.dense", F.gelu(self._linear(f"{name}.intermediate.dense", x)))
        return self._norm(f"{name}.output.LayerNorm", x + F.dropout(inner, dropout))

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        key = f"{name}.weight"
        change = F.linear(F.linear(x, self.adapter[f"{key}.lora_A"]), self.adapter[f"{key}.lora_B"])
        return F.linear(x, self.weights[key], self.weights[f"{name}.bias"]) + ALPHA / self.rank * change

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = (self.weights[f"{name}.{part}"] + self.adapter[f"{name}.{part}.delta"] for part in ("weight", "bias"))
        return F.layer_norm(x, (WIDTH,), weight, bias, EPSILON)

    @staticmethod
    def _heads(x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

    def _padded(self, sentences: List[List[int]]) -> Tuple[torch.Tensor, torch.Tensor]:
        longest = max(map(len, sentences))
        ids = torch.tensor([sentence + [0] * (longest - len(sentence)) for sentence in sentences])
        mask = torch.tensor([[True] * len(sentence) + [False] * (longest - len(sentence)) for sentence in sentences])
        return ids.to(self.device), mask.to(self.device)

    def export(self) -> Dict[str, torch.Tensor]:
        """float16, the scale of the low-rank pairs already in lora_B: W + lora_B @ lora_A, as kioskd adds it."""
        scale = {name: ALPHA / self.rank if name.endswith(".lora_B") else 1.0 for name in self.adapter}
        return {name: (tensor.detach() * scale[name]).half().cpu().contiguous() for name, tensor in self.adapter.items()}

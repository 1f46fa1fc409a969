"""State of a training run on the disk, and the adapter that comes out of it."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Optional

import numpy as np
import torch

from network import ALPHA


def save(path: Path, step: int, seconds: float, adapter: Dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Written beside and renamed, so that a power cut leaves the last whole state."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    torch.save({
        "step": step, "seconds": seconds, "adapter": {name: tensor.detach().cpu() for name, tensor in adapter.items()},
        "optimizer": optimizer.state_dict(),
    }, temporary)
    os.replace(temporary, path)


def resume(path: Path, adapter: Dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> Optional[dict]:
    """Puts the saved state back, if there is one, and gives its step and seconds."""
    if not path.exists():
        return None
    state = torch.load(path, weights_only=True)
    with torch.no_grad():
        for name, tensor in adapter.items():
            tensor.copy_(state["adapter"][name])
    optimizer.load_state_dict(state["optimizer"])
    return {"step": state["step"], "seconds": state["seconds"]}


def export(path: Path, adapter: Dict[str, torch.Tensor]) -> None:
    """float16 arrays that models/setup/whisper_import.py merges; see its head for their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: tensor.detach().cpu().numpy().astype(np.float16) for name, tensor in adapter.items()}
    temporary = path.with_name(f".{path.stem}.part.npz")
    np.savez(temporary, alpha=np.float16(ALPHA), **arrays)
    os.replace(temporary, path)

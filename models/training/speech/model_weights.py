"""Whisper's public weights as float32 tensors under openai-whisper's names, with the sizes and tokens that go with them.

They come from the registry packages that models/manifest.toml names, checked against its checksums; models/setup does the work.
"""
from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

import numpy as np

MODELS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(MODELS / "setup"))

from checked_file import contents_of, place  # noqa: E402  (models/setup is a folder of scripts, not a package)
from ctranslate2_file import read_variables, whisper_tensors  # noqa: E402
from manifest import Manifest  # noqa: E402
from packages import Downloads  # noqa: E402
from whisper_import import ENGLISH_ONLY_VOCABULARY, read_filters, read_tokens  # noqa: E402

HEAD_WIDTH = 64  # in every size of Whisper


@dataclass(frozen=True)
class Shape:
    """Sizes of one Whisper, read from its weights."""

    width: int
    heads: int
    layers: int
    vocabulary: int

    @property
    def english_only(self) -> bool:
        return self.vocabulary == ENGLISH_ONLY_VOCABULARY


@dataclass(frozen=True)
class PublicModel:
    """`tensors` by openai-whisper's names, `tokens` in order of rank as bytes, `filters` [80, 201] from spectrum to mel bands."""

    name: str
    shape: Shape
    tensors: Dict[str, np.ndarray]
    tokens: List[bytes]
    filters: np.ndarray


def shape_of(tensors: Dict[str, np.ndarray]) -> Shape:
    vocabulary, width = tensors["decoder.token_embedding.weight"].shape
    layers = sum(name.startswith("encoder.blocks.") and name.endswith(".attn.query.weight") for name in tensors)
    return Shape(width=width, heads=width // HEAD_WIDTH, layers=layers, vocabulary=vocabulary)


def public_model(name: str, work: Path) -> PublicModel:
    """`name` is tiny.en or base, or any NAME that the manifest has a part NAME-weights of. Downloads are kept in `work`."""
    tensors = whisper_tensors(read_variables(part(f"{name}-weights", work)))
    shape = shape_of(tensors)
    tokens = part("english-tokens" if shape.english_only else "multilingual-tokens", work)
    return PublicModel(
        name=name,
        shape=shape,
        tensors={key: np.squeeze(np.asarray(tensor, np.float32)) if tensor.ndim != 3 else np.asarray(tensor, np.float32)
                 for key, tensor in tensors.items()},
        tokens=read_tokens(tokens, english_only=shape.english_only),
        filters=np.asarray(read_filters(part("mel-filters", work), 80), np.float32),
    )


def part(name: str, work: Path) -> Path:
    """The file of one [[part]] of the manifest, downloaded once into `work`."""
    entry = Manifest(MODELS / "manifest.toml").find(name)
    path = work / name
    if not path.exists() or not entry.contents.agrees_with(contents_of(path)):
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            downloads = Downloads(Path(folder))
            place(path, lambda file: downloads.write_members(entry.source, file, entry.contents.size), entry.contents)
    return path

#!/usr/bin/env python3
"""Makes a model file for whisper.cpp from Whisper's public weights, with or without an adapter merged in.

    whisper_import.py --weights model.bin --tokens gpt2.tiktoken --filters mel_filters.npz [--adapter adapter.npz] --type f16 --out FILE

An adapter is an .npz of small changes, named after openai-whisper's tensors:
    NAME.lora_A [rank, in], NAME.lora_B [out, rank], alpha    a matrix becomes W + alpha / rank * (lora_B @ lora_A)
    NAME.delta [n]                                            a vector becomes v + delta
(Hu et al., "LoRA", 2021.) The same input gives the same bytes on every processor and with every numpy release.
"""
from __future__ import annotations

import argparse
import base64
import sys
import zipfile
from pathlib import Path
from typing import BinaryIO, Dict, List, Optional

import numpy as np

import ggml_file
from checked_file import place
from ctranslate2_file import read_variables, whisper_tensors
from errors import SetupError

ENGLISH_ONLY_VOCABULARY = 51864
END_OF_TEXT = b"<|endoftext|>"


def write_model(file: BinaryIO, *, weights: Path, tokens: Path, filters: Path, adapter: Optional[Path], type_name: str) -> None:
    tensors = whisper_tensors(read_variables(weights))
    if adapter is not None:
        tensors = merge(tensors, read_arrays(adapter), str(adapter))
    header = ggml_file.header_of(tensors, type_name)
    token_list = read_tokens(tokens, english_only=header.vocabulary == ENGLISH_ONLY_VOCABULARY)
    ggml_file.write(file, tensors, token_list, read_filters(filters, header.mel_bands), type_name)
    check_structure(file, header, tensors)


def merge(tensors: Dict[str, np.ndarray], adapter: Dict[str, np.ndarray], source: str) -> Dict[str, np.ndarray]:
    """The tensors with the changes of `adapter` added, in the precision that the tensors had. `source` names it in errors."""
    if "alpha" not in adapter:
        raise SetupError(f"{source} has no alpha, so it is no adapter; use the one beside models/adapters/README.md")
    merged, alpha = dict(tensors), float(adapter["alpha"])
    for key in adapter:
        name, _, role = key.rpartition(".")
        if key == "alpha" or role == "lora_B" and f"{name}.lora_A" in adapter:
            continue
        original = tensors.get(name)
        if role == "delta":
            change = adapter[key].astype(np.float64)
        elif role == "lora_A" and f"{name}.lora_B" in adapter:
            change = low_rank_product(adapter[f"{name}.lora_B"], adapter[key], alpha)
        else:
            raise SetupError(f"{source} holds {key}, which is neither half of a matrix change nor a vector's; use the adapter that the manifest names")
        if original is None or change is None or original.shape != change.shape:
            raise SetupError(
                f"{source} changes {name} by {None if change is None else list(change.shape)}, but the model has "
                f"{None if original is None else list(original.shape)} there; it was trained on another model: use the weights it belongs to"
            )
        merged[name] = (original.astype(np.float64) + change).astype(original.dtype)
    return merged


def low_rank_product(b: np.ndarray, a: np.ndarray, alpha: float) -> Optional[np.ndarray]:
    """alpha / rank * b @ a, or None where the two do not fit each other.

    Added up term by term: a matrix product's order of summation is up to the processor, and the checksum in the manifest is not.
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:
        return None
    product = np.zeros((len(b), a.shape[1]))
    for rank in range(len(a)):
        product += b[:, rank, None].astype(np.float64) * a[rank].astype(np.float64)
    return alpha / len(a) * product


def read_arrays(path: Path) -> Dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise SetupError(f"{path} is no .npz file of arrays ({problem}); restore it or fetch it again") from problem


def read_filters(path: Path, bands: int) -> np.ndarray:
    """The mel filter bank, `[bands, frequencies]`."""
    arrays = read_arrays(path)
    if f"mel_{bands}" not in arrays:
        raise SetupError(f"{path} has {', '.join(arrays)}, but this model hears {bands} mel bands; use the file that the manifest names")
    return arrays[f"mel_{bands}"]


def read_tokens(path: Path, english_only: bool) -> List[bytes]:
    """Tokens in order of rank from a tiktoken list: a line is a token in base64 and its rank.

    The multilingual list ends with a line for the empty token, "=", in whose place the end of text stands in the model. The English list
    stops before it, and whisper.cpp wants to see it by name there.
    """
    tokens = []
    for line in path.read_bytes().splitlines():
        encoded, _, rank = line.partition(b" ")
        if not rank.isdigit() or int(rank) != len(tokens):
            raise SetupError(f"{path} has {line[:40]!r} where the token of rank {len(tokens)} is expected; use the token list that the manifest names")
        tokens.append(b"" if encoded == b"=" else base64.b64decode(encoded))
    return tokens + [END_OF_TEXT] if english_only else tokens


def check_structure(file: BinaryIO, header: ggml_file.Header, tensors: Dict[str, np.ndarray]) -> None:
    """Reads the file back: whisper.cpp loads many a broken one without complaint, so a mistake must show here."""
    file.seek(0)
    found_header, _, found = ggml_file.read(file)
    if found_header != header or list(found) != list(tensors):
        raise SetupError("the model file reads back with another header or other tensors than were written; please report this as a bug of the importer")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="model.bin of CTranslate2")
    parser.add_argument("--tokens", type=Path, required=True, help="gpt2.tiktoken for English-only models, multilingual.tiktoken for the others")
    parser.add_argument("--filters", type=Path, required=True, help="mel_filters.npz")
    parser.add_argument("--adapter", type=Path, help="an .npz to merge in")
    parser.add_argument("--type", choices=ggml_file.TYPES, default="f16", help="how matrices are stored; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    def write(file: BinaryIO) -> None:
        write_model(
            file,
            weights=arguments.weights,
            tokens=arguments.tokens,
            filters=arguments.filters,
            adapter=arguments.adapter,
            type_name=arguments.type,
        )

    try:
        place(arguments.out, write, expected=None)
    except (SetupError, OSError) as problem:
        print(f"import failed: {problem}", file=sys.stderr)
        return 1
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

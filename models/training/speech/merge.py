#!/usr/bin/env python3
"""Merges an adapter into the public weights and writes the model file that kioskd and whisper.cpp load.

    merge.py --model base --adapter ADAPTER.npz --out ggml-mine.bin [--type f16|q8_0|q5_1]

Example:
    merge.py --model tiny.en --adapter var/training/tiny.en/adapter.npz --out models/mine/ggml-tiny.en-mine.bin

Prints the size and the SHA-256 that models/manifest.toml wants. Without --adapter the file holds the public weights as they are.
"""
from __future__ import annotations

import argparse
from pathlib import Path

from model_weights import contents_of, part, place, shape_of  # first: it puts models/setup on the path
from ctranslate2_file import read_variables, whisper_tensors
from whisper_import import write_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="what the adapter was trained for: tiny.en or base")
    parser.add_argument("--adapter", type=Path, metavar="ADAPTER.npz")
    parser.add_argument("--type", choices=("f16", "q8_0", "q5_1"), default="f16", help="of the matrices; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--work", type=Path, default=Path("var/training/weights"), help="for downloaded weights; default: %(default)s")
    arguments = parser.parse_args()

    weights = part(f"{arguments.model}-weights", arguments.work)
    english_only = shape_of(whisper_tensors(read_variables(weights))).english_only
    tokens = part("english-tokens" if english_only else "multilingual-tokens", arguments.work)
    filters = part("mel-filters", arguments.work)
    place(
        arguments.out,
        lambda file: write_model(
            file, weights=weights, tokens=tokens, filters=filters, adapter=arguments.adapter, type_name=arguments.type
        ),
        expected=None,
    )
    print(f"{arguments.out}: {contents_of(arguments.out)}")


if __name__ == "__main__":
    main()

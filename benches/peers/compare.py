#!/usr/bin/env python3
"""Milliseconds from a whole sentence to its text: kioskd beside whisper.cpp and faster-whisper, on the same weights, cores and clips.

    compare.py [--model tiny.en | base] [--json]

whisper.cpp runs with its defaults (a window of 30 s), faster-whisper with 8-bit weights, both through their Python packages; both are
loaded once, in a process each, as kioskd is. README.md tells what is compared and what is not.
"""
import argparse
import pathlib
import sys
import tomllib

import weights
from bench import ROOT, Kioskd, Peer, Run, add_options

# The model that kioskd hears with, best first, and the file of the same weights for whisper.cpp. base-f16 has no short-window adapter.
MODELS = {
    "tiny.en": (("tiny.en-short",), "ggml-tiny.en-f16.bin"),
    "base": (("base-short", "base-f16"), "ggml-base-f16.bin"),
}


def own_model(names):
    manifest = tomllib.loads((ROOT / "models/manifest.toml").read_text(encoding="utf-8"))
    files = {model["name"]: ROOT / "models" / model["file"] for model in manifest["model"]}
    for name in names:
        if name in files and files[name].exists():
            return name
    sys.exit(f"none of {', '.join(names)} is there; fetch one with models/setup/fetch.py")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="tiny.en", help="default: %(default)s")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/kioskd", help="default: %(default)s")
    add_options(parser)
    options = parser.parse_args()

    names, file = MODELS[options.model]
    name, ggml = own_model(names), ROOT / "models/fetched/whisper" / file
    if not ggml.exists():
        sys.exit(f"{ggml} is not there; fetch it with models/setup/fetch.py {file.removeprefix('ggml-').removesuffix('.bin')}")
    folder = weights.provide(options.model)
    run = Run(options)
    kioskd = Kioskd(f"kioskd {name}", options.program, name, run.hearings, run.folder)
    engines = [kioskd]
    for threads in (1,) if options.one_thread else (1, 2):
        how = {"engine": "whisper.cpp", "model": str(ggml), "threads": threads}
        engines.append(Peer(f"whisper.cpp f16, defaults, {threads} thr.", how))
        # Five beams are its default; one is the least work that it can do, and what the others do.
        for beam, words in ((5, "defaults"), (1, "one beam")):
            how = {"engine": "faster-whisper", "model": str(folder), "threads": threads, "beam": beam}
            engines.append(Peer(f"faster-whisper int8, {words}, {threads} thr.", how))
    run.show(*run.measure(engines, kioskd.label))


if __name__ == "__main__":
    main()

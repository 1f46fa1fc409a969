#!/usr/bin/env python3
"""What the settings of whisper.cpp cost: how matrices are stored, flash attention, threads; for the model that ships, in its short window.

    settings.py [--model tiny.en-short] [--json]

Runs whisper.cpp through its Python package, so that each setting can be turned by itself, and kioskd, whose whisper.cpp multiplies in tiles.
Files that are not there are left out; `make setup-all-whisper` makes them.
"""
import argparse
import pathlib
import sys

from bench import ROOT, Kioskd, Peer, Run, add_options

# speech.window_margin_units of config/kiosk.toml.
WINDOW_MARGIN_UNITS = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny.en-short", help="default: %(default)s")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/kioskd", help="default: %(default)s")
    add_options(parser)
    options = parser.parse_args()

    folder, files = ROOT / "models/fetched/whisper", {}
    for stored in ("f16", "q8_0", "q5_1"):
        # The name of a model with adapter says nothing of f16.
        candidates = [folder / f"ggml-{options.model}-{stored}.bin"] + ([folder / f"ggml-{options.model}.bin"] if stored == "f16" else [])
        files[stored] = next((file for file in candidates if file.exists()), None)
        if files[stored] is None:
            print(f"{candidates[0].name} is not there; left out", file=sys.stderr)
    run = Run(options)
    engines = [
        Kioskd(f"kioskd {stored}", options.program, file.stem.removeprefix("ggml-"), run.hearings, run.folder)
        for stored, file in files.items() if file
    ]
    engines += [
        Peer(f"{options.model} {stored}, flash {'on' if flash else 'off'}, {threads} thr.",
             {"engine": "whisper.cpp", "model": str(file), "threads": threads, "flash": flash, "window_margin": WINDOW_MARGIN_UNITS})
        for stored, file in files.items() if file for flash in (False, True) for threads in ((1,) if options.one_thread else (1, 2))
    ]
    if not engines:
        sys.exit(f"no file of {options.model} in {folder}")
    run.show(*run.measure(engines, engines[0].label))


if __name__ == "__main__":
    main()

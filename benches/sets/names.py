#!/usr/bin/env python3
"""Speaks every product name of the catalogue in sentences as customers say them.

    names.py FOLDER [--catalog config/catalog.toml]

Each name is spoken in every carrier sentence by every voice. manifest.jsonl has {"audio", "text", "name", "sku", "voice"}: whether `name`
is in what was heard tells how well product names are understood, with or without a prompt that lists them.
"""
import argparse
import pathlib
import tomllib

from clips import ROOT, Folder

VOICES = ("heart", "heart-low")
# Product, and whether the sentence speaks of one or of several.
CARRIERS = (("how much is the {}?", "name"), ("do you have {}?", "plural"), ("where can I find the {}?", "plural"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--catalog", type=pathlib.Path, default=ROOT / "config/catalog.toml", help="default: %(default)s")
    options = parser.parse_args()
    products = tomllib.loads(options.catalog.read_text(encoding="utf-8"))["product"]
    folder = Folder(options.folder)
    for product in products:
        for number, (carrier, key) in enumerate(CARRIERS):
            name = product.get(key, product["name"])
            for voice in VOICES:
                folder.say(f"{product['sku']}-{number}-{voice}", voice, carrier.format(name), name=name, sku=product["sku"])
    folder.close()


if __name__ == "__main__":
    main()

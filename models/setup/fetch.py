#!/usr/bin/env python3
"""Brings the models of models/manifest.toml below models/fetched/, each checked before it gets its name.

    fetch.py            every model that a kiosk of this platform needs (`setup = true`)
    fetch.py NAME...    the models named

What is there and right is left alone, so a second run needs no network.
"""
from __future__ import annotations

import argparse
import fcntl
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Callable, Dict, Iterator, Set

from checked_file import contents_of, place
from errors import SetupError
from manifest import Entry, Made, Manifest, Package, Repository
from packages import Downloads

MANIFEST = Path(__file__).resolve().parent.parent / "manifest.toml"
WORK_PREFIX = ".work-"


class Fetcher:
    def __init__(self, manifest: Manifest, work: Path) -> None:
        self._manifest = manifest
        self._work = work
        self._downloads = Downloads(work)
        self._parts: Dict[str, Path] = {}
        self._provided: Set[str] = set()

    def provide(self, model: Entry) -> None:
        """Sees to it that the file of `model` is there and right, and says what that took."""
        if model.name in self._provided:
            return
        self._provided.add(model.name)
        path = self._manifest.path_of(model)
        if path.exists():
            found = contents_of(path)
            if model.contents.agrees_with(found):
                print(f"{model.name}: present")
                return
            print(f"{model.name}: {path.name} has {found}, but the manifest lists {model.contents}; replacing it", flush=True)
        else:
            print(f"{model.name}: not there yet", flush=True)
        if isinstance(model.source, Repository):
            raise SetupError(f"{path} is part of this repository and is missing or changed; restore it from version control")
        place(path, self._writer(model), model.contents)
        print(f"{model.name}: ready, {path.stat().st_size:,} bytes", flush=True)

    def _writer(self, entry: Entry) -> Callable[[BinaryIO], None]:
        if isinstance(entry.source, Package):
            return lambda file: self._downloads.write_members(entry.source, file, entry.contents.size)
        if isinstance(entry.source, Made):
            return lambda file: self._make(entry, file)
        raise SetupError(f"{entry.name} comes from a model hub, which this script never asks; have kioskd itself pull it")

    def _make(self, model: Entry, file: BinaryIO) -> None:
        # Here and not above: everything but Whisper is fetched without numpy.
        import whisper_import

        ingredients = {entry.kind: self._ingredient(entry) for entry in map(self._manifest.find, model.source.ingredients)}
        print(f"  making {model.file} ({model.source.type})", flush=True)
        whisper_import.write_model(
            file,
            weights=ingredients["whisper-weights"],
            tokens=ingredients["whisper-tokens"],
            filters=ingredients["mel-filters"],
            adapter=ingredients.get("adapter"),
            type_name=model.source.type,
        )

    def _ingredient(self, entry: Entry) -> Path:
        if entry.file is not None:
            self.provide(entry)
            return self._manifest.path_of(entry)
        if entry.name not in self._parts:
            path = self._work / entry.name
            place(path, self._writer(entry), entry.contents)
            self._parts[entry.name] = path
        return self._parts[entry.name]


@contextmanager
def work_folder(fetched: Path) -> Iterator[Path]:
    """A folder for downloads, on the disk that has room for models (/tmp may be memory), which only one run has at a time."""
    fetched.mkdir(parents=True, exist_ok=True)
    with open(fetched / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another setup is running; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_by_a_killed_run in fetched.glob(WORK_PREFIX + "*"):
            shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=WORK_PREFIX, dir=fetched) as folder:
            yield Path(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a model of the manifest")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        manifest = Manifest(arguments.manifest)
        wanted = [manifest.find(name) for name in arguments.names]
        if not wanted:
            wanted = [model for model in manifest.models if model.setup and model.suits_this_machine()]
        with work_folder(manifest.folder / "fetched") as work:
            fetcher = Fetcher(manifest, work)
            for model in wanted:
                fetcher.provide(model)
    except (SetupError, OSError) as problem:
        print(f"setup failed: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

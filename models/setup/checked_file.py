"""Files that are either whole and right, or not there.

A power cut or a full disk in the middle of a download must not leave half a model under the model's name: whisper.cpp loads a file whose
last kilobyte is missing without a word and then transcribes nonsense.
"""
from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Callable, Optional

from errors import SetupError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What a file holds; `size` is None in a manifest entry whose publisher gives a checksum only."""

    size: Optional[int]
    sha256: str

    def agrees_with(self, other: "Contents") -> bool:
        sizes_agree = None in (self.size, other.size) or self.size == other.size
        return sizes_agree and self.sha256 == other.sha256

    def __str__(self) -> str:
        return f"sha256 {self.sha256}" if self.size is None else f"{self.size} bytes and sha256 {self.sha256}"


def contents_of(path: Path) -> Contents:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return Contents(size, digest.hexdigest())


def place(path: Path, write: Callable[[BinaryIO], None], expected: Optional[Contents]) -> None:
    """Lets `write` fill a temporary file and gives it the name `path` once its contents are the expected ones and on the disk.

    `expected` is None where nobody knows the checksum yet. Whatever goes wrong, `path` stays as it was and the temporary file goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_by_a_killed_run in path.parent.glob(f".{path.name}.*"):
        left_by_a_killed_run.unlink()
    # In the same folder, since a rename is atomic within one file system only.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        found = contents_of(Path(temporary))
        if expected is not None and not expected.agrees_with(found):
            raise SetupError(
                f"{path.name} came out with {found}, but the manifest lists {expected}; nothing was installed: "
                "run `make setup` again, and if it stays like this, the package or the manifest was changed"
            )
        # mkstemp makes files that only their owner can read; the kiosk's service user is another one.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    # The rename itself must survive a power cut too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

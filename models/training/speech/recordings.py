"""Folders of recordings, and the fixed split into those that are trained on and those kept back.

A folder holds sound files at any depth. A `manifest.jsonl` in it, one object a line, can tell more about them:
    audio       path below the folder
    source      name of the corpus; default: the folder's name
    language    Whisper's code; default: the command line's --language
    speaker     who speaks
    group       recordings that must stay on one side of the split, such as one sentence in several voices
    text        what is said; only evaluate.py uses it
    lesson      what Whisper should write, in its own way of writing ("May I have a latte?"); cache.py --undisturbed teaches that
Files that a manifest does not list are left out where there is one.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Optional

from sounds import SUFFIXES

HELD_OUT_PERCENT = 30
# Below this a split by speaker would keep back nearly nothing or nearly all of a corpus.
FEWEST_SPEAKERS = 5


@dataclass(frozen=True)
class Recording:
    path: Path
    key: str  # SOURCE/PATH, the same on every machine
    source: str
    language: str
    speaker: Optional[str] = None
    group: Optional[str] = None
    text: Optional[str] = None
    lesson: Optional[str] = None


def read_folders(folders: Iterable[Path], language: str, left_out: Iterable[str] = ()) -> List[Recording]:
    found: List[Recording] = []
    for folder in folders:
        found += read_folder(folder, language)
    left_out = set(left_out)
    kept = [recording for recording in found if recording.source not in left_out]
    if not kept:
        raise SystemExit(f"no sound files ({', '.join(sorted(SUFFIXES))}) in {', '.join(map(str, folders))}; name a folder that has some")
    return kept


def read_folder(folder: Path, language: str) -> List[Recording]:
    manifest = folder / "manifest.jsonl"
    if manifest.exists():
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        rows = [{"audio": str(path.relative_to(folder))} for path in paths]
    recordings = []
    for row in rows:
        source = row.get("source") or folder.absolute().name
        recordings.append(Recording(
            path=folder / row["audio"], key=f"{source}/{row['audio']}", source=source, language=row.get("language") or language,
            speaker=row.get("speaker"), group=row.get("group"), text=row.get("text"),
            lesson=row.get("lesson"),
        ))
    return recordings


def held_out(recordings: List[Recording]) -> Dict[str, bool]:
    """For each recording's key whether it is kept back: a matter of its name alone, so that more recordings move none to the other side.

    The unit is the group; else the speaker, where the corpus has enough of them; else the recording.
    """
    speakers: Dict[str, set] = {}
    for recording in recordings:
        speakers.setdefault(recording.source, set()).add(recording.speaker)
    kept_back = {}
    for recording in recordings:
        by_speaker = recording.speaker is not None and len(speakers[recording.source]) >= FEWEST_SPEAKERS
        unit = recording.group or (recording.speaker if by_speaker else recording.key)
        digest = hashlib.sha256(f"{recording.source}:{unit}".encode()).digest()
        kept_back[recording.key] = int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT
    return kept_back


def training_part(recordings: List[Recording]) -> List[Recording]:
    kept_back = held_out(recordings)
    return [recording for recording in recordings if not kept_back[recording.key]]


def held_out_part(recordings: List[Recording]) -> List[Recording]:
    kept_back = held_out(recordings)
    return [recording for recording in recordings if kept_back[recording.key]]

"""Evaluation sets, fetched from their own repositories at a named commit and held against their checksums; never committed here.

    python -m tidepool_model.evaluation.impact.sets [--sets FOLDER]

A file that lies in the folder already is used as it is, if its checksum is right: whoever has no network copies it there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HOST = "https://raw.githubusercontent.com"
SECONDS = 60


class SetError(RuntimeError):
    """A set that can't be had; the message names the file and the way out."""


@dataclass(frozen=True)
class SetFile:
    """A file of a set: where it lies in its repository, what it must be."""

    set: str
    repository: str
    commit: str
    path: str
    sha256: str
    licence: str

    @property
    def name(self) -> str:
        return f"{self.set}-{Path(self.path).name}"

    @property
    def home(self) -> str:
        return f"https://github.com/{self.repository}"


WINOGENDER = ("Winogender", "rudinger/winogender-schemas", "1c7f8b481ad8a234b41e9f76a424d6e856e13f7f")
FILES: dict[str, SetFile] = {
    "crows": SetFile("CrowS-Pairs", "nyu-mll/crows-pairs", "8aaac11c485473159ec9328a65253a5be9a479dc", "data/crows_pairs_anonymized.csv", "dfb36986ce0502abbaf7055b9176da3d08d48e07df1251991b5dfbcbceab9d0c", "CC BY-SA 4.0; not to be trained on"),
    "winogender": SetFile(*WINOGENDER, "data/all_sentences.tsv", "bd69da16bf228cb8df63fd0843aec2d8b5c36a7f21bf8c7b168bcc83932556c8", "MIT"),
    "templates": SetFile(*WINOGENDER, "data/templates.tsv", "496f2e2dc77296bcebcdd8865a8dc5715ce22b772de9abb5f531d5b3114c48a0", "MIT"),
    "occupations": SetFile(*WINOGENDER, "data/occupations-stats.tsv", "3f7f37c16381a70571356982ea7fe613ac700ad04a6d3b19b9f2be18248df567", "MIT"),
}


def default_folder() -> Path:
    """Where sets are kept: TIDEPOOL_SETS, or a folder of the user's cache."""
    return Path(os.environ.get("TIDEPOOL_SETS") or Path.home() / ".cache/tidepool/sets")


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch(file: SetFile, folder: Path, host: str = HOST) -> Path:
    """The file on disk, whole and of the right checksum. SetError where it is neither there nor to be had."""
    path = folder / file.name
    if path.is_file():
        if (found := checksum(path.read_bytes())) == file.sha256:
            return path
        raise SetError(f"{path} has the checksum {found[:12]}…, {file.sha256[:12]}… is wanted; remove it to fetch it again")
    address = f"{host}/{file.repository}/{file.commit}/{file.path}"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as reply:
            data = reply.read()
    except (urllib.error.URLError, OSError) as error:
        raise SetError(f"{file.set}: {address} can't be read ({error}); copy {file.path} of {file.home} at commit {file.commit[:7]} to {path}") from error
    if (found := checksum(data)) != file.sha256:
        raise SetError(f"{file.set}: {address} has the checksum {found[:12]}…, {file.sha256[:12]}… is wanted; it is another version or was cut short")
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    return path


def licences(*names: str) -> list[dict[str, str]]:
    """Name, licence and home of sets, each once."""
    files = {FILES[name].set: FILES[name] for name in names}
    return [{"name": file.set, "licence": file.licence, "url": file.home} for file in files.values()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path, default=default_folder())
    options = parser.parse_args()
    try:
        for file in FILES.values():
            print(fetch(file, options.sets), file.licence)
    except SetError as error:
        print(f"sets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

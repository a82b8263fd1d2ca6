"""A file in parts of a given size, and back: how a checkpoint leaves a lent machine that passes on 16 MiB at a time.

    python -m tidepool_model.export.parts split FILE --mib 16 --out DIR
    python -m tidepool_model.export.parts join DIR --out FILE
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path

INDEX = "parts.json"


class PartsError(RuntimeError):
    """Parts that don't make the file they were cut from; the message names the part."""


def split(file: Path, folder: Path, part_bytes: int) -> list[Path]:
    """Cuts `file` into `folder`/name.000, .001 … of at most `part_bytes` bytes, and writes parts.json last."""
    if part_bytes < 1:
        raise PartsError(f"a part of {part_bytes} bytes can't be made; give a size above 0")
    folder.mkdir(parents=True, exist_ok=True)
    parts, whole = [], hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(part_bytes):
            part = folder / f"{file.name}.{len(parts):03d}"
            part.write_bytes(chunk)
            whole.update(chunk)
            parts.append(part)
    index = {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": whole.hexdigest(),
        "parts": [{"path": p.name, "bytes": p.stat().st_size} for p in parts],
    }
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
    return parts


def join(folder: Path, out: Path) -> Path:
    """Puts the parts of `folder` together as `out`, by rename and only if the SHA-256 fits. Raises PartsError."""
    index_path = folder / INDEX
    if not index_path.exists():
        raise PartsError(f"{index_path} is missing; copy it along with the parts")
    index = json.loads(index_path.read_text())
    whole = hashlib.sha256()
    temporary = out.with_name(out.name + ".part")
    with temporary.open("wb") as target:
        for part in index["parts"]:
            path = folder / part["path"]
            if not path.exists() or path.stat().st_size != part["bytes"]:
                found = f"{path.stat().st_size} bytes" if path.exists() else "missing"
                temporary.unlink()
                raise PartsError(f"{path}: {found}, {part['bytes']} bytes expected; copy this part again")
            chunk = path.read_bytes()
            whole.update(chunk)
            target.write(chunk)
    if whole.hexdigest() != index["sha256"]:
        temporary.unlink()
        raise PartsError(f"{out}: the parts in {folder} give another SHA-256 than {INDEX} says; copy them again")
    os.replace(temporary, out)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("split")
    cut.add_argument("file", type=Path)
    cut.add_argument("--mib", type=float, default=16)
    cut.add_argument("--out", type=Path, required=True)
    glue = commands.add_parser("join")
    glue.add_argument("folder", type=Path)
    glue.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        if options.command == "split":
            for part in split(options.file, options.out, int(options.mib * 2**20)):
                print(part)
        else:
            print(join(options.folder, options.out))
    except (PartsError, OSError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()

"""The table of what came after pretraining, public/models/posttraining.json: one row a system, written by the command that measured it.

    python -m tidepool_model.posttraining.systems --id grpo --model tidepool --name "accuracy …" --before 0.66 --after 0.7 \\
        --interval 0.66 0.74 --command "python -m …" [--note "why"]

The page and README read it (src/models/posttraining-file.ts). Not here: any measuring.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path

from ..training.train import commit_hash

IDS = ("grpo", "reward", "feedback-edit", "judge", "pipeline", "impact")
FILE = Path(__file__).resolve().parents[3] / "public" / "models" / "posttraining.json"


def record(
    system: str,
    model: str,
    name: str,
    before: float | None,
    after: float,
    interval: tuple[float, float],
    command: str,
    note: str = "",
    commit: str | None = None,
    file: Path = FILE,
) -> dict[str, object]:
    """Writes the row of `system` in place of the one before; by rename, so none is half-written. ValueError names the field.

    A figure whose `name` begins with "accuracy" or "share" is a share of 1 and shown as percent. `before` None: there was none.
    """
    if system not in IDS:
        raise ValueError(f"id is {system!r}; known are {', '.join(IDS)}")
    low, high = interval
    for field, value in (("before", before), ("after", after), ("interval", low), ("interval", high)):
        if value is not None and not math.isfinite(value):
            raise ValueError(f"figure.{field} of {system} is {value}, not a number")
    if low > high:
        raise ValueError(f"figure.interval of {system} is [{low}, {high}]; the lower end comes first")
    for field, text in (("model", model), ("figure.name", name), ("command", command)):
        if not text.strip():
            raise ValueError(f"{field} of {system} is empty")
    row: dict[str, object] = {
        "id": system,
        "model": model,
        "figure": {"name": name, "before": before, "after": after, "interval": [low, high]},
        "command": command,
        "commit": commit or commit_hash(),
    }
    if note:
        row["note"] = note
    rows = {entry["id"]: entry for entry in json.loads(file.read_text(encoding="utf-8"))["systems"]} if file.exists() else {}
    rows[system] = row
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"systems": [rows[known] for known in IDS if known in rows]}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, file)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--id", required=True, choices=IDS)
    parser.add_argument("--model", required=True, help="folder under public/models of the model that was measured")
    parser.add_argument("--name", required=True)
    parser.add_argument("--before", type=float)
    parser.add_argument("--after", type=float, required=True)
    parser.add_argument("--interval", type=float, nargs=2, required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--note", default="")
    parser.add_argument("--commit")
    args = parser.parse_args()
    try:
        row = record(args.id, args.model, args.name, args.before, args.after, tuple(args.interval), args.command, args.note, args.commit)
    except ValueError as error:
        raise SystemExit(f"systems: {error}") from error
    print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()

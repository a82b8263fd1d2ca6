"""What the runs wrote down, as the page draws it: public/models/posttraining-curves.json.

    python -m tidepool_model.posttraining.curves --grpo RUN --best-of best-of.json

Each is put in the place of what stood there; what is not given stays.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from .systems import FILE as SYSTEMS

FILE = SYSTEMS.with_name("posttraining-curves.json")
MOST_SHOWN = 4
POINT = ("n", "right", "interval", "lift")


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def learning(run: Path) -> dict[str, object]:
    """Reward, share of right answers and length by update, and some of the replies that were kept on the way."""
    points = [{name: line[name] for name in ("update", "reward", "right", "tokens")} for line in _lines(run / "curve.jsonl")]
    shown = _lines(run / "shown.jsonl")
    step = max(1, -(-(len(shown) - 1) // (MOST_SHOWN - 1)))
    kept = [*shown[:-1:step], shown[-1]] if len(shown) > 1 else shown
    return {"points": points, "shown": kept}


def choosing(file: Path) -> dict[str, object]:
    """Right answers by tenth of the reward, and right answers and reward by N for each form of it (none in files of before)."""
    found = json.loads(file.read_text(encoding="utf-8"))
    parts = {"bradley-terry": found, "attributes": found.get("byAttributes", {})}
    forms = [{"id": name, "points": [{key: point[key] for key in POINT} for point in part["byDraws"]]} for name, part in parts.items() if "byDraws" in part]
    return {"tenths": found["byTenthOfReward"], "draws": {"problems": found["problems"], "forms": forms} if forms else None}


def write(file: Path, changes: dict[str, object]) -> None:
    """By rename, so that it is never half-written; None takes away what stood there."""
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"points": [], "shown": [], "tenths": []}
    part = file.with_suffix(".part")
    kept = {name: value for name, value in (before | changes).items() if value is not None}
    part.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grpo", type=Path, help="folder of a run of posttraining.grpo")
    parser.add_argument("--best-of", type=Path, help="what posttraining.best_of measure wrote")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    changes: dict[str, object] = learning(args.grpo) if args.grpo else {}
    if args.best_of:
        changes |= choosing(args.best_of)
    if not changes:
        parser.error("nothing to write: give --grpo or --best-of")
    write(args.out, changes)
    print(f"{', '.join(changes)} -> {args.out}")


if __name__ == "__main__":
    main()

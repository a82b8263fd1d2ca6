"""Measures the report on impact and writes public/models/impact.json and docs/impact.md.

    python -m tidepool_model.evaluation.impact --corpora CORPORA --data DIR [--only bias,privacy] [--model tidepool]

Seven categories; each part (a category of a model) is kept in the journal and not measured again without --again; one that the
report has of the same weights counts as measured too. What the corpora
or the built data are needed for is left out without them. `--data` is a folder of data.build: canaries are planted into a copy of it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from . import bias, disparity, footprint, labour, privacy, values
from .document import OF_A_MODEL, ORDER, joined, markdown, take_up
from .figure import Figure
from .sets import SetError, default_folder
from .subjects import Packaged, weights_of

ROOT = footprint.ROOT
NAMES = {"tidepool": "Tidepool small", "lagoon": "Lagoon"}


def commit() -> str:
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def part(category: str, subject: Packaged | None, options: argparse.Namespace) -> tuple[Sequence[Figure], dict[str, Any] | None]:
    """One category of one model, or of the recipe."""
    match category, subject:
        case "bias", Packaged():
            return bias.measure(subject, options.sets, options.pairs), None
        case "values", Packaged():
            return values.measure(subject)
        case "disparity", Packaged():
            return disparity.measure(subject, options.problems, options.corpora), None
        case "privacy", Packaged():
            canaries = privacy.canary_checkpoint(subject, options.data, options.journal) if options.data and subject.id == "tidepool" else None
            return privacy.measure(subject, options.corpora, canaries), None
        case "cost", None:
            return footprint.cost(), footprint.table()
        case "environment", None:
            return footprint.energy(), footprint.table()
        case "labour", None:
            return labour.figures(), labour.table()
    raise AssertionError((category, subject))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=ROOT / "public/models")
    parser.add_argument("--model", default="tidepool,lagoon", help="folders of --models, with commas")
    parser.add_argument("--only", default=",".join(ORDER), help="categories, with commas")
    parser.add_argument("--journal", type=Path, default=Path("impact-journal"))
    parser.add_argument("--again", action="store_true", help="measure what the journal has already")
    parser.add_argument("--sets", type=Path, default=default_folder())
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=1508, help="pairs of CrowS-Pairs, at most")
    parser.add_argument("--problems", type=int, default=48, help="problems a comparison")
    parser.add_argument("--out", type=Path, default=ROOT / "public/models/impact.json")
    parser.add_argument("--doc", type=Path, default=ROOT / "docs/impact.md")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.journal.mkdir(parents=True, exist_ok=True)
    categories = options.only.split(",")
    if unknown := [category for category in categories if category not in ORDER]:
        print(f"impact: there is no category {unknown[0]}; known are {', '.join(ORDER)}", file=sys.stderr)
        return 2
    if options.out.exists() and not options.again:
        weights = {name: weights_of(options.models / name) for name in NAMES if (options.models / name / "manifest.json").exists()}
        for taken in take_up(json.loads(options.out.read_text()), options.journal, weights):
            print(f"{taken}: stays as {options.out} has it, its weights are the same", flush=True)
    try:
        for name in options.model.split(","):
            subject = None
            for category in (c for c in categories if c in OF_A_MODEL):
                if (options.journal / f"{category}-{name}.json").exists() and not options.again:
                    continue
                subject = subject or Packaged(options.models / name)
                keep(category, name, subject, options)
        for category in (c for c in categories if c not in OF_A_MODEL):
            keep(category, "recipe", None, options)
    except (SetError, footprint.FootprintError) as error:
        print(f"impact: {error}", file=sys.stderr)
        return 1
    models = [json.loads(path.read_text()) for path in sorted(options.journal.glob("model-*.json"), key=lambda path: list(NAMES).index(path.stem[6:]) if path.stem[6:] in NAMES else 9)]
    report = joined(options.journal, models, datetime.date.today().isoformat(), commit())
    options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    options.doc.write_text(markdown(report))
    print(f"{sum(len(c['figures']) for c in report['categories'])} figures -> {options.out}, {options.doc}")
    return 0


def keep(category: str, name: str, subject: Packaged | None, options: argparse.Namespace) -> None:
    """Measures a part and writes it into the journal, whole or not at all."""
    began = time.process_time()
    figures, table = part(category, subject, options)
    record = {"figures": [figure.record(None if subject is None else name, category) for figure in figures], "table": table}
    path = options.journal / f"{category}-{name}.json"
    path.with_suffix(".part").write_text(json.dumps(record, ensure_ascii=False))
    path.with_suffix(".part").replace(path)
    if subject is not None:
        about = {"id": name, "name": NAMES.get(name, name), "parameters": subject.parameters, "weights": subject.weights}
        (options.journal / f"model-{name}.json").write_text(json.dumps(about))
    print(f"{category} of {name}: {len(figures)} figures, {time.process_time() - began:.0f} s of a core", flush=True)


if __name__ == "__main__":
    sys.exit(main())

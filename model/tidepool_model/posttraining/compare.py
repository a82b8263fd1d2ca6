"""Right answers of two checkpoints on the same held-out problems under the same limits, as a paired difference.

    python -m tidepool_model.posttraining.compare BEFORE AFTER --problems 150 --limits unlimited,32 --out compare.json

Greedy, families by turns, problems of the test side. Each checkpoint's verdicts are written down as they come, so the same
command goes on; with --minutes it ends after so long and compares what both have answered.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tasks.interval import wilson
from tokenizers import Tokenizer

from ..architecture.batch_decode import Limit, write_replies
from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.thought_boundary import boundary_tokens
from ..data.tokenizer import DEFAULT_DIR
from .environments import RIGHT, FamilyEnvironment, Task
from .reply_pool import LONGEST, draw_tasks

SIDE = 50  # problems between two looks at the clock


def paired(before: Sequence[bool], after: Sequence[bool]) -> dict[str, object]:
    """Shares right, and their difference with its 95 % interval over problems (normal, as the differences are -1, 0 or 1)."""
    n = len(before)
    steps = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    mean = sum(steps) / n
    spread = math.sqrt(sum((step - mean) ** 2 for step in steps) / max(1, n - 1) / n)
    return {
        "problems": n, "before": round(sum(before) / n, 4), "after": round(sum(after) / n, 4), "afterInterval": wilson(sum(after) / n, n),
        "difference": round(mean, 4), "interval": [round(mean - 1.96 * spread, 4), round(mean + 1.96 * spread, 4)],
    }  # fmt: skip


def verdicts(model: HybridLM, tokenizer: Tokenizer, tasks: Sequence[tuple[FamilyEnvironment, Task]], limit: int | None) -> list[bool]:
    """Whether each task is answered rightly and in form."""
    end, end_think = tokenizer.token_to_id(chat_format.IM_END), tokenizer.token_to_id(chat_format.END_THINK)
    newline = tokenizer.encode("\n", add_special_tokens=False).ids
    boundaries = boundary_tokens(tokenizer)
    bound = Limit(limit, [*newline, end_think, *newline], end_think, lambda token: token in boundaries)
    right = [False] * len(tasks)
    for index, tokens in write_replies(model, [task.prompt for _, task in tasks], LONGEST, {end}, limit=bound):
        environment, task = tasks[index]
        text = tokenizer.decode(tokens, skip_special_tokens=False).removesuffix(chat_format.IM_END)
        right[index] = tokens[-1] == end and environment.reward(task, [text]) == RIGHT
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--problems", type=int, default=150)
    parser.add_argument("--limits", default="unlimited,32")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    journal = args.out.with_suffix(".journal.json")
    kept: dict[str, list[bool]] = json.loads(journal.read_text()) if journal.exists() else {}
    tasks = draw_tasks(tokenizer, args.problems, "test", ("train", "test"), 5)
    models = {"before": load_pretrained(args.before).eval(), "after": load_pretrained(args.after).eval()}
    began = time.monotonic()
    limits = args.limits.split(",")
    for start in range(0, len(tasks), SIDE):
        for limit in limits:
            for name, model in models.items():
                known = kept.setdefault(f"{name} {limit}", [])
                late = args.minutes and time.monotonic() - began > args.minutes * 60
                if len(known) > start or late:
                    continue
                known += verdicts(model, tokenizer, tasks[start : start + SIDE], None if limit == "unlimited" else int(limit))
                journal.write_text(json.dumps(kept))
    found: dict[str, object] = {}
    for limit in limits:
        n = min(len(kept[f"before {limit}"]), len(kept[f"after {limit}"]))
        if n:
            found[limit] = paired(kept[f"before {limit}"][:n], kept[f"after {limit}"][:n])
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Checkpoints on problems never seen in phrasings never trained on, paired: the same problems for all, differences with their intervals.

    python -m tidepool_model.evaluation.phrasings CONTROL CHECKPOINT … --each 10 --out phrasings.json

Problems of the test side, drawn anew (not the evaluation's fixture), half of each family in test forms and, with --wide, as many in wide ones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tasks import registry
from tasks.interval import wilson
from tasks.problem import Problem
from tokenizers import Tokenizer

from ..architecture.batch_decode import write_replies
from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR

LONGEST = 260
RESAMPLES = 10_000


def draw(each: int, phrasing: str, seed: int, families: Sequence[str] = ()) -> list[Problem]:
    """`each` problems a family of the test side, difficulties 1 to 4 by turns, none twice."""
    rng = random.Random(f"phrasings:{seed}")
    found: dict[str, Problem] = {}
    for family in families or [name for name in registry.FAMILIES if name != "tools"]:
        taken = 0
        for turn in range(each * 20):
            problem = registry.sample(family, rng, 1 + turn % 4, "test", phrasing)
            if problem.canonical not in found:
                found[problem.canonical] = problem
                taken += 1
            if taken == each:
                break
    return list(found.values())


def verdicts(model: HybridLM, tokenizer: Tokenizer, problems: Sequence[Problem]) -> tuple[list[bool], int]:
    """Whether each greedy reply is right (no limit on the thought), and tokens written."""
    end, end_think = tokenizer.token_to_id(chat_format.IM_END), tokenizer.token_to_id(chat_format.END_THINK)
    prompts = [tokenizer.encode(chat_format.render([{"role": "user", "content": p.question}], [], add_generation_prompt=True, enable_thinking=True), add_special_tokens=False).ids for p in problems]
    found, tokens = [False] * len(problems), 0
    for index, reply in write_replies(model, prompts, LONGEST, {end}, 128):
        tokens += len(reply)
        if end_think in reply and reply[-1] == end:
            answer = tokenizer.decode(reply[reply.index(end_think) + 1 :]).strip()
            found[index] = registry.FAMILIES[problems[index].family].check(problems[index], answer)
    return found, tokens


def paired(found: Sequence[bool], control: Sequence[bool]) -> dict[str, object]:
    """Points above the control on the same problems, with a bootstrap interval over problems; who changed."""
    gaps = np.array(found, float) - np.array(control, float)
    drawn = np.random.default_rng(0).integers(0, len(gaps), (RESAMPLES, len(gaps)))
    low, high = np.percentile(100 * gaps[drawn].mean(1), [2.5, 97.5])
    return {"points": round(100 * float(gaps.mean()), 2), "interval": [round(float(low), 2), round(float(high), 2)], "won": int((gaps > 0).sum()), "lost": int((gaps < 0).sum())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="the first one is the control")
    parser.add_argument("--each", type=int, default=10, help="problems a family")
    parser.add_argument("--phrasing", choices=("test", "wide", "train"), default="test")
    parser.add_argument("--families", default="", help="with commas; all but tools")
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    problems = draw(args.each, args.phrasing, args.seed, [f for f in args.families.split(",") if f])
    report: dict[str, object] = {"problems": len(problems), "phrasing": args.phrasing, "seed": args.seed, "each": args.each}
    by_name: dict[str, dict[str, object]] = {}
    known = json.loads(args.out.read_text()) if args.out.exists() else {}
    known = known.get("checkpoints", {}) if {key: known.get(key) for key in report} == report else {}  # of the same problems
    control: list[bool] | None = None
    for path in args.checkpoints:
        name = path.parent.name if path.name == "checkpoint" else path.name
        if name in known:
            found, tokens = [verdict == "1" for verdict in known[name]["verdicts"]], known[name]["tokens"]
        else:
            found, tokens = verdicts(load_pretrained(path).eval(), tokenizer, problems)
        control = control or found
        mean = sum(found) / len(found)
        by_name[name] = {"right": round(mean, 4), "interval": wilson(mean, len(found)), "tokens": tokens, "above": paired(found, control), "verdicts": "".join("1" if ok else "0" for ok in found)}
        args.out.write_text(json.dumps(report | {"checkpoints": {**known, **by_name}}, indent=1) + "\n")
        print(name, json.dumps({key: value for key, value in by_name[name].items() if key != "verdicts"}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

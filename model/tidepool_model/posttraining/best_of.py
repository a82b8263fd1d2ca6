"""Preference pairs from checkers and rules, and what best-of-N by a reward model gains over one reply and over the majority.

    python -m tidepool_model.posttraining.best_of pairs --checkpoints DIR DIR --temperatures 0.6 0.8 1.0 --prompts 600 --out DIR
    python -m tidepool_model.posttraining.best_of measure --checkpoint DIR --reward reward.safetensors --most 16 --out best-of.json

Pairs: eight replies to a problem of the training side, spread over checkpoints and temperatures, a right one before a wrong one (2),
before one that is not in form (3); worked replies before the same with a fault put in by rule (ruled_pairs.py); and chat replies
before ones that a rule made worse (talk_pairs.py). Measured on held-out problems: one reply, the reward's choice of 4, 8 … of a pool,
the most frequent answer of as many (at equal tokens), any; best of N for N = 1, 2, 4 … the pool, read off all choices of N; and right
answers by tenth of the reward. The last two show where it can be fooled. With --judge a model chooses too, two by two in a knockout
(judging.py), which reads many times what the replies cost to write; both are stated.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from ..architecture.config import ConfigError
from ..architecture.model import CheckpointError, load_pretrained
from ..data.tokenizer import DEFAULT_DIR
from .choosing import Reply, measure
from .environments import MALFORMED, RIGHT, Task
from .judging import JudgeError, ModelJudge, knockout
from .pair_kinds import NOT_IN_FORM, WRONG
from .preferences import Preference, write_preferences
from .reply_pool import Drawn, Named, PoolError, draw_tasks, kept_replies
from .reward import Head, RewardError, states_of
from .ruled_pairs import ruled_pairs
from .talk_pairs import split_by_source, talk_pairs

POOL = 8  # replies to a problem
HELD_SHARE = 0.2


def pairs_of(task: Task, replies: Sequence[Reply], rng: random.Random) -> list[Preference]:
    """Right replies beside others, each at most once, in drawn order; none where all are right or none is."""
    right = [reply for reply in replies if reply.reward == RIGHT]
    others = [reply for reply in replies if reply.reward != RIGHT]
    rng.shuffle(right)
    rng.shuffle(others)
    found = []
    for better, worse in zip(right, others, strict=False):
        size = 3 if worse.reward == MALFORMED else 2
        first = rng.random() < 0.5
        texts = (better.text, worse.text) if first else (worse.text, better.text)
        kind = NOT_IN_FORM if worse.reward == MALFORMED else WRONG
        found.append(Preference(({"role": "user", "content": task.problem.question},), texts, -size if first else size, kind))
    return found


def share_out(by_problem: Sequence[list[Preference]], ruled: int, talk: int, rng: random.Random) -> tuple[list[Preference], list[Preference]]:
    """(to fit on, held out): a fifth of the problems, of the ruled pairs, and of what talk is about; none is in both."""
    problems = [pairs for pairs in by_problem if pairs]
    rng.shuffle(problems)
    cut = int(len(problems) * HELD_SHARE)
    by_rule = ruled_pairs(ruled, 4)
    rule_cut = int(len(by_rule) * HELD_SHARE)
    taught, held = split_by_source(talk_pairs(talk, 5), HELD_SHARE, random.Random(6))
    return (
        [pair for pairs in problems[cut:] for pair in pairs] + by_rule[rule_cut:] + taught,
        [pair for pairs in problems[:cut] for pair in pairs] + by_rule[:rule_cut] + held,
    )


def make_pairs(
    models: Sequence[Named], tokenizer: Tokenizer, count: int, temperatures: Sequence[float], out: Path, minutes: float = 0, ruled: int = 0, talk: int = 0
) -> tuple[int, int]:
    """Writes pairs.jsonl and held.jsonl; how many each has."""
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    tasks = draw_tasks(tokenizer, count, "train", ("wide",), 2)
    pools = kept_replies(models, tokenizer, tasks, temperatures, POOL, out / "replies.jsonl", minutes)
    taught, held = share_out([pairs_of(task, replies, rng) for (_, task), replies in zip(tasks, pools, strict=False)], ruled, talk, rng)
    write_preferences(out / "held.jsonl", held)
    write_preferences(out / "pairs.jsonl", taught)
    return len(taught), len(held)


def named_models(folders: Sequence[Path]) -> list[Named]:
    """Each by its folder's name, or by the whole path where two have one name."""
    names = [folder.resolve().name for folder in folders]
    return [(name if names.count(name) == 1 else str(folder), load_pretrained(folder).eval()) for name, folder in zip(names, folders, strict=True)]


def measure_with(args: argparse.Namespace, models: Sequence[Named], tokenizer: Tokenizer) -> dict[str, object]:
    """What best_of measure writes. PoolError, RewardError: what does not fit."""
    began = time.monotonic()
    (_, model), *_ = models
    head = Head.load(args.reward, model.config.hidden_size)
    beside = args.reward.with_name(f"{args.reward.stem}-attributes{args.reward.suffix}")
    attributes = Head.load(beside, model.config.hidden_size) if beside.exists() else None
    tasks: list[Drawn] = draw_tasks(tokenizer, args.prompts, "test", ("train", "test"), 3)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pools = kept_replies(models, tokenizer, tasks, args.temperatures, args.most, args.out.with_suffix(".replies.jsonl"), args.minutes)
    scored: list[tuple[list[Reply], list[float]]] = []
    by_attributes: list[tuple[list[Reply], list[float]]] = []
    for (_, task), replies in zip(tasks, pools, strict=False):
        context = [{"role": "user", "content": task.problem.question}]
        states = states_of(model, tokenizer, [(context, reply.text) for reply in replies])
        scored.append((replies, head.reward(states).tolist()))
        if attributes is not None:
            by_attributes.append((replies, attributes.reward(states).tolist()))
    found: dict[str, object] = measure(scored)
    if by_attributes:
        found["byAttributes"] = {name: value for name, value in measure(by_attributes).items() if name in ("right", "byTenthOfReward", "byDraws")}
    if args.judge is not None:
        judge = ModelJudge(load_pretrained(args.judge).eval(), tokenizer)
        found["byJudge"] = {"model": args.judge.resolve().name} | knockout(judge, [task.problem.question for _, task in tasks[: len(pools)]], pools)
    return found | {"seconds": round(time.monotonic() - began)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "measure"))
    parser.add_argument("--checkpoints", "--checkpoint", type=Path, nargs="+", required=True, help="who replies; rewards read the first one's states")
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--prompts", type=int, default=600)
    parser.add_argument("--temperatures", "--temperature", type=float, nargs="+", default=[0.8])
    parser.add_argument("--ruled", type=int, default=600, help="pairs with a fault put in by rule")
    parser.add_argument("--talk", type=int, default=600, help="pairs of chat replies, ranked by rule")
    parser.add_argument("--minutes", type=float, default=0, help="no further problem after so long; 0: all of them")
    parser.add_argument("--reward", type=Path)
    parser.add_argument("--most", type=int, default=POOL, help="replies to each problem that is measured, 8 to 32")
    parser.add_argument("--judge", type=Path, help="checkpoint that judges replies two by two")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if min(args.temperatures) <= 0:
        parser.error("--temperatures: each has to be above 0; at 0 all replies are the same")
    if args.most < POOL:
        parser.error(f"--most is {args.most}: best of 8 needs {POOL} replies at least")
    if args.what == "measure" and args.reward is None:
        parser.error("measure needs --reward, the file that posttraining/reward.py wrote")
    try:
        models, tokenizer = named_models(args.checkpoints), Tokenizer.from_file(str(args.tokenizer))
        if args.what == "pairs":
            began = time.monotonic()
            taught, held = make_pairs(models, tokenizer, args.prompts, args.temperatures, args.out, args.minutes, args.ruled, args.talk)
            print(f"{taught} pairs to fit on, {held} held out, {time.monotonic() - began:.0f} s -> {args.out}")
            return 0
        found = measure_with(args, models, tokenizer)
    except (PoolError, RewardError, JudgeError, CheckpointError, ConfigError, FileNotFoundError) as error:
        print(f"best_of: {error}", file=sys.stderr)
        return 1
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["right"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

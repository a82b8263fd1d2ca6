"""Preference pairs from the checkers, and what best-of-N by a reward model gains over one reply and over the majority.

    python -m tidepool_model.posttraining.best_of pairs --checkpoint DIR --prompts 600 --out DIR
    python -m tidepool_model.posttraining.best_of measure --checkpoint DIR --reward reward.safetensors --out best-of.json

Pairs: eight replies to a problem of the training side, a right one before a wrong one (2), before one that is not in form (3).
Measured on held-out problems: one reply, the reward's choice of 4 and of 8, the most frequent answer of 4 and of 8 (at equal
tokens), any of 8; and right answers by tenth of the reward, which shows where it can be fooled.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tasks import registry
from tasks.interval import wilson
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from .environments import MALFORMED, RIGHT, FamilyEnvironment, Task, environments
from .preferences import Preference, write_preferences
from .reward import Head, states_of
from .rollouts import sample_group

PLAIN = tuple(family for family in registry.FAMILIES if family != "tools")
SIZES = (4, 8)
LONGEST = 260
HELD_SHARE = 0.2


@dataclass(frozen=True)
class Reply:
    text: str  # with its thought, without the end mark
    reward: float  # of the environment
    tokens: int


def replies_to(model: HybridLM, tokenizer: Tokenizer, environment: FamilyEnvironment, task: Task, count: int, temperature: float, seed: int) -> list[Reply]:
    """`count` sampled replies; one that does not end is not in form."""
    end = tokenizer.token_to_id(chat_format.IM_END)
    rollouts = sample_group(model, task.prompt, count, LONGEST, end, None, lambda turn: None, temperature, torch.Generator().manual_seed(seed))
    found = []
    for rollout in rollouts:
        text = tokenizer.decode(rollout.tokens, skip_special_tokens=False).removesuffix(chat_format.IM_END)
        found.append(Reply(text, environment.reward(task, [text]) if rollout.ended else MALFORMED, len(rollout.tokens)))
    return found


def pair_of(task: Task, replies: Sequence[Reply], rng: random.Random) -> Preference | None:
    """A right reply and another, in drawn order; None where all are right or none is."""
    right = [reply for reply in replies if reply.reward == RIGHT]
    others = [reply for reply in replies if reply.reward != RIGHT]
    if not right or not others:
        return None
    better, worse = rng.choice(right), rng.choice(others)
    size = 3 if worse.reward == MALFORMED else 2
    first = rng.random() < 0.5
    texts = (better.text, worse.text) if first else (worse.text, better.text)
    return Preference(({"role": "user", "content": task.problem.question},), texts, -size if first else size, task.problem.family)


def answer_of(text: str) -> str:
    """What is counted in a vote: the numbers of an answer, or its words."""
    answer = text.rpartition(chat_format.END_THINK)[2].strip().lower()
    numbers = re.findall(r"-?\d+(?:[.:]\d+)*", answer)
    return " ".join(numbers) if numbers else re.sub(r"[^a-z]+", " ", answer).strip()


def majority(texts: Sequence[str]) -> int:
    """Index of the first reply with the most frequent answer."""
    answers = [answer_of(text) for text in texts]
    return answers.index(Counter(answers).most_common(1)[0][0])


def measure(scored: Sequence[tuple[Sequence[Reply], Sequence[float]]]) -> dict[str, object]:
    """Shares of problems answered rightly by each way of choosing, from replies and rewards of each problem."""
    n = len(scored)
    right: Counter[str] = Counter()
    single = 0.0
    flat: list[tuple[float, bool]] = []
    for replies, rewards in scored:
        verdicts = [reply.reward == RIGHT for reply in replies]
        single += sum(verdicts) / len(verdicts)
        right["any"] += any(verdicts)
        for size in SIZES:
            right[f"bestOf{size}"] += verdicts[max(range(size), key=lambda i: rewards[i])]
            right[f"majorityOf{size}"] += verdicts[majority([reply.text for reply in replies[:size]])]
        flat += zip(rewards, verdicts, strict=True)
    flat.sort(key=lambda pair: pair[0])
    tenths = [flat[len(flat) * i // 10 : len(flat) * (i + 1) // 10] for i in range(10)]
    shares = {"one": single / n} | {name: count / n for name, count in right.items()}
    return {
        "problems": n,
        "tokensEach": round(sum(reply.tokens for replies, _ in scored for reply in replies) / sum(len(replies) for replies, _ in scored), 1),
        "right": {name: {"share": round(share, 4), "interval": wilson(share, n)} for name, share in shares.items()},
        "byTenthOfReward": [{"reward": round(sum(r for r, _ in part) / len(part), 3), "right": round(sum(v for _, v in part) / len(part), 4)} for part in tenths if part],
    }


def draw_tasks(tokenizer: Tokenizer, count: int, split: str, phrasings: Sequence[str], seed: int) -> list[tuple[FamilyEnvironment, Task]]:
    """Problems of every family by turns, of one side of the border between training and test."""
    known = environments(tokenizer)
    rng = random.Random(seed)
    found = []
    for index in range(count):
        environment = known[PLAIN[index % len(PLAIN)]]
        problem = registry.sample(environment.name, rng, rng.randint(1, 5), split, rng.choice(list(phrasings)))
        found.append((environment, environment.task_of(problem, None)))
    return found


def make_pairs(model: HybridLM, tokenizer: Tokenizer, count: int, temperature: float, out: Path) -> tuple[int, int]:
    """Writes pairs.jsonl and held.jsonl (a fifth of the problems); how many each has."""
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    pairs = []
    for seed, (environment, task) in enumerate(tqdm(draw_tasks(tokenizer, count, "train", ("wide",), 2), disable=None)):
        pair = pair_of(task, replies_to(model, tokenizer, environment, task, 8, temperature, seed), rng)
        if pair is not None:
            pairs.append(pair)
    rng.shuffle(pairs)
    cut = int(len(pairs) * HELD_SHARE)
    write_preferences(out / "held.jsonl", pairs[:cut])
    write_preferences(out / "pairs.jsonl", pairs[cut:])
    return len(pairs) - cut, cut


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "measure"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--prompts", type=int, default=600)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--reward", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_pretrained(args.checkpoint).eval(), Tokenizer.from_file(str(args.tokenizer))
    began = time.monotonic()
    if args.what == "pairs":
        taught, held = make_pairs(model, tokenizer, args.prompts, args.temperature, args.out)
        print(f"{taught} pairs to fit on, {held} held out, {time.monotonic() - began:.0f} s -> {args.out}")
        return 0
    if args.reward is None:
        print("best_of: measure needs --reward, the file that posttraining/reward.py wrote", file=sys.stderr)
        return 1
    head = Head.load(args.reward, model.config.hidden_size)
    scored = []
    for seed, (environment, task) in enumerate(tqdm(draw_tasks(tokenizer, args.prompts, "test", ("train", "test"), 3), disable=None)):
        replies = replies_to(model, tokenizer, environment, task, max(SIZES), args.temperature, seed)
        context = [{"role": "user", "content": task.problem.question}]
        scored.append((replies, head.reward(states_of(model, tokenizer, [(context, reply.text) for reply in replies])).tolist()))
    found = measure(scored) | {"seconds": round(time.monotonic() - began)}
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["right"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

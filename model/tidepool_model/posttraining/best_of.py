"""Preference pairs from the checkers, and what best-of-N by a reward model gains over one reply and over the majority.

    python -m tidepool_model.posttraining.best_of pairs --checkpoint DIR --prompts 600 --out DIR
    python -m tidepool_model.posttraining.best_of measure --checkpoint DIR --reward reward.safetensors --out best-of.json

Pairs: eight replies to a problem of the training side, a right one before a wrong one (2), before one that is not in form (3); and
worked replies before the same with a fault put in by rule (a wrong last step, an answer against its thought, one that breaks off).
Measured on held-out problems: one reply, the reward's choice of 4 and of 8, the most frequent answer of 4 and of 8 (at equal
tokens), any of 8; and right answers by tenth of the reward, which shows where it can be fooled.
"""

from __future__ import annotations

import argparse
import itertools
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
from tasks.problem import Problem
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.batch_decode import write_replies
from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from .environments import MALFORMED, RIGHT, FamilyEnvironment, Task, environments
from .preferences import Preference, write_preferences
from .reward import Head, states_of

PLAIN = tuple(family for family in registry.FAMILIES if family != "tools")
SIZES = (4, 8)
LONGEST = 260
NUMBER = re.compile(r"(?<![\w.:])\d+(?![\w:]|\.\d)")
CARRIED, AGAINST, BROKEN_OFF = RULED = ("ruled, wrong to the end", "ruled, answer against its thought", "ruled, breaks off")
SIDE = 8  # problems answered in one batch
HELD_SHARE = 0.2


@dataclass(frozen=True)
class Reply:
    text: str  # with its thought, without the end mark
    reward: float  # of the environment
    tokens: int


def replies_to(model: HybridLM, tokenizer: Tokenizer, tasks: Sequence[tuple[FamilyEnvironment, Task]], count: int, temperature: float, seed: int) -> list[list[Reply]]:
    """`count` sampled replies to each task; one that does not end is not in form."""
    end = tokenizer.token_to_id(chat_format.IM_END)
    prompts = [task.prompt for _, task in tasks for _ in range(count)]
    torch.manual_seed(seed)
    found: dict[int, Reply] = {}  # they come as they end, the short ones first
    for index, tokens in write_replies(model, prompts, LONGEST, {end}, temperature=temperature, top=model.config.vocab_size):
        environment, task = tasks[index // count]
        text = tokenizer.decode(tokens, skip_special_tokens=False).removesuffix(chat_format.IM_END)
        found[index] = Reply(text, environment.reward(task, [text]) if tokens[-1] == end else MALFORMED, len(tokens))
    return [[found[at * count + k] for k in range(count)] for at in range(len(tasks))]


def kept_replies(
    model: HybridLM, tokenizer: Tokenizer, tasks: Sequence[tuple[FamilyEnvironment, Task]], temperature: float, journal: Path, minutes: float
) -> list[list[Reply]]:
    """Eight replies to each task, SIDE tasks at once, each batch written down as it ends, so that the same command goes on.

    With `minutes` it ends after so long; the tasks that were answered by then are the first ones.
    """
    found = [[Reply(*reply) for reply in json.loads(line)] for line in journal.read_text(encoding="utf-8").splitlines()] if journal.exists() else []
    began = time.monotonic()
    with journal.open("a", encoding="utf-8") as out, tqdm(total=len(tasks), initial=len(found), disable=None) as bar:
        while len(found) < len(tasks) and not (minutes and time.monotonic() - began > minutes * 60):
            at = len(found)
            for replies in replies_to(model, tokenizer, tasks[at : at + SIDE], max(SIZES), temperature, at):
                out.write(json.dumps([[reply.text, reply.reward, reply.tokens] for reply in replies], ensure_ascii=False) + "\n")
                found.append(replies)
            out.flush()
            bar.update(len(found) - at)
    return found


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
        kind = "sampled, not in form" if worse.reward == MALFORMED else "sampled, wrong"
        found.append(Preference(({"role": "user", "content": task.problem.question},), texts, -size if first else size, kind))
    return found


def _slip(text: str, rng: random.Random) -> tuple[str, str] | None:
    """The text's last number and one that is one or ten off; None where it has none."""
    found = NUMBER.findall(text)
    if not found:
        return None
    value = int(found[-1])
    return found[-1], str(rng.choice([value + 1, value + 10, *([value - 1] if value else [])]))


def _last_replaced(text: str, number: str, other: str) -> str | None:
    places = [place for place in NUMBER.finditer(text) if place[0] == number]
    return text[: places[-1].start()] + other + text[places[-1].end() :] if places else None


def ruled_pair(problem: Problem, rng: random.Random) -> Preference | None:
    """The worked reply beside one with a fault put in by rule, which the check has to refuse; None where the rule finds no place."""
    thought, answer = "\n".join(problem.thought), problem.answer
    kind = rng.choice(RULED)
    worse_thought: str | None = thought
    worse_answer: str | None = ""
    if kind == BROKEN_OFF:
        worse_thought = thought[: len(thought) // 2].rpartition(" ")[0]
    elif (slip := _slip(answer, rng)) is None:
        return None
    else:
        worse_answer = _last_replaced(answer, *slip)
        worse_thought = _last_replaced(thought, *slip) if kind == CARRIED else thought
    if not worse_thought or worse_answer is None or (worse_answer and registry.FAMILIES[problem.family].check(problem, worse_answer)):
        return None
    good, bad = (f"{part}\n{chat_format.END_THINK}\n{said}" for part, said in ((thought, answer), (worse_thought, worse_answer)))
    size = 3 if kind == BROKEN_OFF else 2
    first = rng.random() < 0.5
    return Preference(({"role": "user", "content": problem.question},), (good, bad) if first else (bad, good), -size if first else size, kind)


def ruled_pairs(count: int, seed: int) -> list[Preference]:
    """Such pairs of problems of the training side, families by turns."""
    rng = random.Random(seed)
    found: list[Preference] = []
    for index in itertools.count():
        if len(found) == count:
            return found
        pair = ruled_pair(registry.sample(PLAIN[index % len(PLAIN)], rng, rng.randint(1, 5), "train", "wide"), rng)
        if pair is not None:
            found.append(pair)
    raise AssertionError


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


def make_pairs(model: HybridLM, tokenizer: Tokenizer, count: int, temperature: float, out: Path, minutes: float = 0, ruled: int = 0) -> tuple[int, int]:
    """Writes pairs.jsonl and held.jsonl (the pairs of a fifth of the problems, none of which is in the other); how many each has.

    `ruled` pairs with faults put in by rule are shared out in the same way.
    """
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    tasks = draw_tasks(tokenizer, count, "train", ("wide",), 2)
    by_problem = [pairs_of(task, replies, rng) for (_, task), replies in zip(tasks, kept_replies(model, tokenizer, tasks, temperature, out / "replies.jsonl", minutes), strict=False)]
    by_problem = [pairs for pairs in by_problem if pairs]
    rng.shuffle(by_problem)
    cut = int(len(by_problem) * HELD_SHARE)
    by_rule = ruled_pairs(ruled, 4)
    held, taught = ([pair for pairs in part for pair in pairs] for part in (by_problem[:cut], by_problem[cut:]))
    cut = int(len(by_rule) * HELD_SHARE)
    held, taught = held + by_rule[:cut], taught + by_rule[cut:]
    write_preferences(out / "held.jsonl", held)
    write_preferences(out / "pairs.jsonl", taught)
    return len(taught), len(held)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "measure"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--prompts", type=int, default=600)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--ruled", type=int, default=600, help="pairs with a fault put in by rule")
    parser.add_argument("--minutes", type=float, default=0, help="no further problem after so long; 0: all of them")
    parser.add_argument("--reward", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_pretrained(args.checkpoint).eval(), Tokenizer.from_file(str(args.tokenizer))
    began = time.monotonic()
    if args.what == "pairs":
        taught, held = make_pairs(model, tokenizer, args.prompts, args.temperature, args.out, args.minutes, args.ruled)
        print(f"{taught} pairs to fit on, {held} held out, {time.monotonic() - began:.0f} s -> {args.out}")
        return 0
    if args.reward is None:
        print("best_of: measure needs --reward, the file that posttraining/reward.py wrote", file=sys.stderr)
        return 1
    head = Head.load(args.reward, model.config.hidden_size)
    tasks = draw_tasks(tokenizer, args.prompts, "test", ("train", "test"), 3)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    answered = kept_replies(model, tokenizer, tasks, args.temperature, args.out.with_suffix(".replies.jsonl"), args.minutes)
    beside = args.reward.with_name(f"{args.reward.stem}-attributes{args.reward.suffix}")
    attributes = Head.load(beside, model.config.hidden_size) if beside.exists() else None
    scored: list[tuple[list[Reply], list[float]]] = []
    by_attributes: list[tuple[list[Reply], list[float]]] = []
    for (_, task), replies in zip(tasks, answered, strict=False):
        context = [{"role": "user", "content": task.problem.question}]
        states = states_of(model, tokenizer, [(context, reply.text) for reply in replies])
        scored.append((replies, head.reward(states).tolist()))
        if attributes is not None:
            by_attributes.append((replies, attributes.reward(states).tolist()))
    found = measure(scored) | {"seconds": round(time.monotonic() - began)}
    if by_attributes:
        found["byAttributes"] = {name: value for name, value in measure(by_attributes).items() if name in ("right", "byTenthOfReward")}
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["right"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

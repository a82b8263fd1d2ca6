"""Pools of sampled replies to drawn problems, from several checkpoints and temperatures, written down as they come.

Owns the drawing of problems, the sampling and the journal that lets the same command go on. Not here: what is made of a pool
(best_of.py), what choosing in it gains (choosing.py).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tasks import registry
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.batch_decode import write_replies
from ..architecture.model import HybridLM
from ..data import chat_format
from .choosing import Reply
from .environments import MALFORMED, PLAIN, FamilyEnvironment, Task, environments

LONGEST = 260
SIDE = 8  # problems answered in one batch of each checkpoint

Drawn = tuple[FamilyEnvironment, Task]
Named = tuple[str, HybridLM]


class PoolError(ValueError):
    """A journal of another command."""


def draw_tasks(tokenizer: Tokenizer, count: int, split: str, phrasings: Sequence[str], seed: int) -> list[Drawn]:
    """Problems of every family by turns, of one side of the border between training and test."""
    known = environments(tokenizer)
    rng = random.Random(seed)
    found = []
    for index in range(count):
        environment = known[PLAIN[index % len(PLAIN)]]
        problem = registry.sample(environment.name, rng, rng.randint(1, 5), split, rng.choice(list(phrasings)))
        found.append((environment, environment.task_of(problem, None)))
    return found


def sources_of(names: Sequence[str], temperatures: Sequence[float], problem: int, count: int) -> list[tuple[str, float]]:
    """Who writes each of a problem's replies and how warm: all combinations by turns, going on where the problem before ended."""
    every = [(name, temperature) for temperature in temperatures for name in names]
    return [every[(problem * count + k) % len(every)] for k in range(count)]


def replies_to(models: Sequence[Named], tokenizer: Tokenizer, tasks: Sequence[Drawn], temperatures: Sequence[float], count: int, first: int) -> list[list[Reply]]:
    """`count` sampled replies to each task, the first of which is problem `first`; a reply that does not end is not in form."""
    end = tokenizer.token_to_id(chat_format.IM_END)
    wanted = [source for at in range(len(tasks)) for source in sources_of([name for name, _ in models], temperatures, first + at, count)]
    found: dict[int, Reply] = {}  # they come as they end, the short ones first
    torch.manual_seed(first)
    for name, model in models:
        places = [place for place, (by, _) in enumerate(wanted) if by == name]
        warmth = [wanted[place][1] for place in places]
        for index, tokens in write_replies(model, [tasks[place // count][1].prompt for place in places], LONGEST, {end}, temperature=warmth, top=model.config.vocab_size):
            place = places[index]
            environment, task = tasks[place // count]
            text = tokenizer.decode(tokens, skip_special_tokens=False).removesuffix(chat_format.IM_END)
            found[place] = Reply(text, environment.reward(task, [text]) if tokens[-1] == end else MALFORMED, len(tokens), *wanted[place])
    return [[found[at * count + k] for k in range(count)] for at in range(len(tasks))]


def read_journal(path: Path, names: Sequence[str], temperatures: Sequence[float], count: int) -> list[list[Reply]]:
    """The pools written so far; a last line that was cut short is dropped. PoolError where another command wrote them."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")[:-1]  # no splitlines: a reply may hold other ends of lines
    if not text.endswith("\n"):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    found = [[Reply(*reply) for reply in json.loads(line)] for line in lines]
    for at, replies in enumerate(found):
        written = [(reply.by, reply.temperature) for reply in replies]
        if len(replies) != count or (any(by for by, _ in written) and written != sources_of(names, temperatures, at, count)):
            who = ", ".join(sorted({f"{by} at {temperature:g}" for by, temperature in written if by})) or "one checkpoint"
            raise PoolError(
                f"{path}, line {at + 1}: {len(replies)} replies of {who}; this command asks for {count} of {', '.join(names)} "
                f"at {', '.join(f'{t:g}' for t in temperatures)}. Give the options that it was begun with, or another --out"
            )
    return found


def kept_replies(models: Sequence[Named], tokenizer: Tokenizer, tasks: Sequence[Drawn], temperatures: Sequence[float], count: int, journal: Path, minutes: float) -> list[list[Reply]]:
    """`count` replies to each task, each batch written down as it ends, so that the same command goes on.

    With `minutes` it ends after so long; the tasks that were answered by then are the first ones. PoolError: read_journal.
    """
    found = read_journal(journal, [name for name, _ in models], temperatures, count)
    began = time.monotonic()
    side = SIDE * len(models)
    with journal.open("a", encoding="utf-8") as out, tqdm(total=len(tasks), initial=len(found), disable=None) as bar:
        while len(found) < len(tasks) and not (minutes and time.monotonic() - began > minutes * 60):
            at = len(found)
            for replies in replies_to(models, tokenizer, tasks[at : at + side], temperatures, count, at):
                out.write(json.dumps([[r.text, r.reward, r.tokens, r.by, r.temperature] for r in replies], ensure_ascii=False) + "\n")
                found.append(replies)
            out.flush()
            bar.update(len(found) - at)
    return found[: len(tasks)]

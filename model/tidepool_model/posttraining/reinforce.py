"""A reinforcement stage: replies sampled from the model, scored by the families' checkers, as weighted batches.

    python -m tidepool_model.posttraining.reinforce --stages sft:4000,reinforce:200 …   (the trainer's other options)

A stage named `reinforce` reads its batches here instead of from a file. Each step: one problem of the training side, a
group of replies to it, and as the weight of each reply's tokens its reward minus the group's mean, over the group's spread
(group-relative policy gradient; Shao et al., arXiv 2402.03300, without the ratio and the KL term, since each batch is used
once).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tasks import registry
from tasks.problem import Problem
from tokenizers import Tokenizer
from torch import Tensor

from ..architecture.model import HybridLM
from ..data import chat_format
from ..data.packing import IGNORED, Batch
from ..training import train
from .rollouts import sample_group

FAMILIES = tuple(name for name in registry.FAMILIES if name != "tools")  # a call of a tool needs somebody to answer it
DIFFICULTIES = (1, 2, 3)


@dataclass(frozen=True)
class Reply:
    tokens: list[int]  # what was sampled, the end mark included if it came
    text: str  # the same without the end mark


def reward(problem: Problem, reply: Reply, ended: bool) -> float:
    """1 for a right answer in form, 0.1 for a wrong one in form, 0 for what is not in form (thought open, no end)."""
    thought, close, answer = reply.text.partition(chat_format.END_THINK)
    if not ended or not close or chat_format.END_THINK in answer or not answer.strip():
        return 0.0
    return 1.0 if registry.FAMILIES[problem.family].check(problem, answer) else 0.1


def sample(model: HybridLM, prompt: list[int], count: int, most: int, end: int, temperature: float, generator: torch.Generator) -> list[list[int]]:
    """`count` replies to one prompt, of at most `most` tokens each, drawn at `temperature`; each stops at `end`."""
    rollouts = sample_group(model, prompt, count, most, end, None, lambda turn: None, temperature, generator)
    return [rollout.tokens for rollout in rollouts]


def advantages(rewards: list[float]) -> list[float]:
    """Rewards less their mean over their spread; all zero where they are equal."""
    values = torch.tensor(rewards)
    spread = float(values.std(correction=0))
    return [0.0] * len(rewards) if spread < 1e-6 else ((values - values.mean()) / spread).tolist()


def weighted_batch(prompt: list[int], replies: list[list[int]], weights: list[float], length: int, pad: int) -> Batch:
    """One row a reply: prompt and reply, targets on the reply alone, its weight on each of its tokens."""
    rows = len(replies)
    tokens = torch.full((rows, length), pad)
    targets = torch.full((rows, length), IGNORED)
    starts = torch.zeros(rows, length, dtype=torch.bool)
    spread = torch.zeros(rows, length)
    starts[:, 0] = True
    for row, (reply, weight) in enumerate(zip(replies, weights, strict=True)):
        ids = torch.tensor(prompt + reply)
        tokens[row, : len(ids)] = ids
        targets[row, len(prompt) - 1 : len(ids) - 1] = ids[len(prompt) :]
        spread[row, len(prompt) - 1 : len(ids) - 1] = weight
    return Batch(tokens, targets, starts, spread)


def batches(model: HybridLM, tokenizer: Tokenizer, rows: int, length: int, seed: int, skip: int, temperature: float = 1.0) -> Iterator[Batch]:
    """Endless groups of `rows` replies; batch number n depends on `seed`, n and the model, so that a run can be resumed."""
    end, pad = tokenizer.token_to_id(chat_format.IM_END), tokenizer.token_to_id(chat_format.PAD)
    number = skip
    while True:
        rng = random.Random(f"{seed}:reinforce:{number}")
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        problem = registry.sample(rng.choice(FAMILIES), rng, rng.choice(DIFFICULTIES), "train", "wide")
        text = "".join(s.text for s in chat_format.segments([{"role": "user", "content": problem.question}], add_generation_prompt=True))
        prompt = tokenizer.encode(text, add_special_tokens=False).ids
        number += 1
        if len(prompt) > length // 2:
            continue
        drawn = sample(model, prompt, rows, length - len(prompt), end, temperature, generator)
        scores = []
        for reply in drawn:
            ended = reply[-1] == end
            spoken = tokenizer.decode(reply[:-1] if ended else reply, skip_special_tokens=False)
            scores.append(reward(problem, Reply(reply, spoken), ended))
        yield weighted_batch(prompt, drawn, advantages(scores), length, pad)


if __name__ == "__main__":
    train.main({"reinforce": batches}, "tidepool_model.posttraining.reinforce")

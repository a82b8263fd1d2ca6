"""Problem statements in other words, by a language model; what is no longer the same problem is refused (same_problem.py)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from tasks.problem import Problem
from tokenizers import Tokenizer

from ..architecture.batch_decode import write_replies
from ..architecture.hybrid_checkpoint import load_base
from ..data.lagoon.rows import BASE_SYSTEM
from .same_problem import is_readable, is_same

ASKS = (
    "Rewrite this question in other words. Keep all names and numbers. {x}", "Say this in another way, with the same numbers and names: {x}",
    "Paraphrase: {x}", "How else could a child ask this? Keep every number. {x}", "Rewrite as a teacher would ask it: {x}",
)  # fmt: skip
LONGEST = 80


def paraphrases(problems: Sequence[Problem], base: Path, tokenizer_file: Path, each: int, seed: int, batch: int = 48) -> tuple[list[tuple[Problem, str]], Counter[str]]:
    """(problem, question in other words) that passed, each once; and how many were refused, by reason."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    refused: Counter[str] = Counter()
    readable = [problem for problem in problems if is_readable(problem)]
    refused["the original can't be read by the checker"] = len(problems) - len(readable)
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    model = load_base(base)
    asked = [problem for problem in readable for _ in range(each)]
    prompts = [tokenizer.encode(f"{BASE_SYSTEM}<|im_start|>user\n{rng.choice(ASKS).format(x=problem.question)}<|im_end|>\n<|im_start|>assistant\n", add_special_tokens=False).ids for problem in asked]
    stop = {tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>")}
    found: dict[str, Problem] = {}
    for index, reply in write_replies(model, prompts, LONGEST, stop, batch, temperature=0.7):
        text = cleaned(tokenizer.decode(reply))
        if (why := is_same(asked[index], text)) is not None:
            refused[why] += 1
        elif text in found:
            refused["written twice"] += 1
        else:
            found[text] = asked[index]
    return [(problem, text) for text, problem in found.items()], refused


def cleaned(reply: str) -> str:
    """The first paragraph of a reply, without quotation marks and without a heading."""
    text = reply.replace("<|im_end|>", "").strip().split("\n")[0].strip()
    text = text.partition(": ")[2] if text.lower().startswith(("here", "paraphrase", "question", "rewrit")) and ": " in text else text
    return text.strip("\"“”' ")

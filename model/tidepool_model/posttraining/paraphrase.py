"""Problem statements and short stories in other words, by a language model; what is no longer the same is refused (same_problem.py, same_story.py)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tasks.problem import Problem
from tokenizers import Tokenizer

from ..architecture.batch_decode import write_replies
from ..architecture.hybrid_checkpoint import load_base
from ..data.stories import storyteller
from ..data.stories.storyteller import Story
from . import same_story
from .same_problem import is_readable, is_same

# Shown, not told: asked to rewrite, SmolLM2-135M kept the numbers in 30 of 150 and the problem in none (LOG.md).
SHOWN = (
    ("What is 31 + 46?", "If you add 31 and 46, what do you get?"), ("Find the sum of 8, 19 and 5.", "How much do 8, 19 and 5 make together?"),
    ("Take 12 away from 90.", "How much is left when 12 is taken away from 90?"), ("What is the difference of 74 and 33?", "By how much is 74 more than 33?"),
    ("Multiply 6 by 14.", "What do you get if you multiply 6 by 14?"), ("What is 9 times 23?", "How much is 9 times 23?"),
    ("Which is larger, 58 or 85?", "Of 58 and 85, which number is larger?"), ("Look at 7, 3 and 12. Which is the smallest?", "Tell me the smallest of 7, 3 and 12."),
    ("Tom has 7 shells. Tom finds 5 more. Tom loses 2. How many shells does Tom have?", "Tom had 7 shells. Then Tom got 5 more. Then 2 were lost. How many shells are left with Tom?"),
)  # fmt: skip
LONGEST = 60
SHOWN_STORIES = (
    ("One morning a small goat named Pip found a blue hat on the path. He asked the hen, but it was not hers. In the end the wind took the hat, and Pip laughed and ran after it.",
     "Pip, a small goat, was out on the path early one day when he came upon a hat. It was blue. The hen did not own it either. Then the wind blew and took the hat away; Pip laughed and ran behind it."),
    ("Ruth wanted to bake a cake for her grandmother. She dropped the eggs, and there was no cake. Grandmother smiled and said that bread and honey is the best cake of all.",
     "There was to be a cake, and Ruth was to bake it for her grandmother. But all the eggs fell down. So they had no cake that day. The best cake of all is bread and honey, said Grandmother, and smiled."),
)  # fmt: skip
MOST_WORDS = 90  # of a story that is retold
LONGEST_STORY = 170


def paraphrases(problems: Sequence[Problem], base: Path, tokenizer_file: Path, each: int, seed: int, batch: int = 48) -> tuple[list[tuple[Problem, str]], Counter[str]]:
    """(problem, question in other words) that passed, each once; and how many were refused, by reason."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    refused: Counter[str] = Counter()
    readable = [problem for problem in problems if is_readable(problem)]
    refused["the original can't be read by the checker"] = len(problems) - len(readable)
    asked = [problem for problem in readable for _ in range(each)]
    prompts = [prompt(problem.question, rng) for problem in asked]

    def judged(reply: str, at: int) -> tuple[str, str | None]:
        text = cleaned(reply)
        return text, is_same(asked[at], text)

    found = written(prompts, base, tokenizer_file, LONGEST, batch, judged, refused)
    return [(asked[at], text) for text, at in found.items()], refused


def written(
    prompts: Sequence[str], base: Path, tokenizer_file: Path, longest: int, batch: int, judged: Callable[[str, int], tuple[str, str | None]], refused: Counter[str]
) -> dict[str, int]:
    """What the base model says to the prompts and is not refused, each text once, with the place of its first prompt.

    `judged` says of a reply and its place the text and why it is refused (None: it is not); `refused` counts the reasons.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in prompts]
    newline = tokenizer.encode("\n", add_special_tokens=False).ids[-1]
    stop = {newline, *(tokenizer.token_to_id(mark) for mark in ("<|im_end|>", "<|endoftext|>"))}
    found: dict[str, int] = {}
    for index, reply in write_replies(load_base(base), encoded, longest, stop, batch, temperature=0.7):
        text, why = judged(tokenizer.decode(reply), index)
        if why is not None:
            refused[why] += 1
        elif text in found:
            refused["written twice"] += 1
        else:
            found[text] = index
    return found


def prompt(question: str, rng: random.Random) -> str:
    """Five questions with other words for them, then this one."""
    shown = "".join(f"Question: {a}\nIn other words: {b}\n\n" for a, b in rng.sample(SHOWN, 5))
    return f"{shown}Question: {question}\nIn other words:"


def cleaned(reply: str) -> str:
    """The first paragraph of a reply, without quotation marks and without a heading."""
    text = reply.replace("<|im_end|>", "").strip().split("\n")[0].strip()
    text = text.partition(": ")[2] if text.lower().startswith(("here", "paraphrase", "question", "rewrit")) and ": " in text else text
    return text.strip("\"“”' ")


def short_stories(count: int, seed: int) -> list[Story]:
    """Drawn stories of at most MOST_WORDS words, each once."""
    rng = random.Random(seed)
    found: dict[str, Story] = {}
    while len(found) < count:
        story = storyteller.generate(rng)
        if len(story.text.split()) <= MOST_WORDS:
            found.setdefault(story.text, story)
    return list(found.values())


def story_prompt(text: str, rng: random.Random) -> str:
    """Two stories told again in other words, in drawn order, then this one."""
    shown = "".join(f"Story: {a}\nThe same story in other words: {b}\n\n" for a, b in rng.sample(SHOWN_STORIES, len(SHOWN_STORIES)))
    return f"{shown}Story: {' '.join(text.split())}\nThe same story in other words:"


def retellings(stories: Sequence[Story], base: Path, tokenizer_file: Path, each: int, seed: int, batch: int = 16) -> tuple[list[tuple[Story, str]], Counter[str]]:
    """(story, the same in other words) that passed, each once; and how many were refused, by reason."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    asked = [story for story in stories for _ in range(each)]
    prompts = [story_prompt(story.text, rng) for story in asked]
    refused: Counter[str] = Counter()

    def judged(reply: str, at: int) -> tuple[str, str | None]:
        text = reply.replace("<|im_end|>", "").strip()
        return text, same_story.why_refused(asked[at], text)

    found = written(prompts, base, tokenizer_file, LONGEST_STORY, batch, judged, refused)
    return [(asked[at], text) for text, at in found.items()], refused

"""Training rows of the three roles: drafts gathered with their faults, written as a packed stage with replay between them.

A row's tokens count where the role itself speaks. In an edit of a faulty draft the first token at which an unchanged copy would
go its own way is one to avoid (`avoid.bin`): copying is what an editor learns by itself otherwise (arXiv 2503.04378).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tasks import registry
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.batch_decode import Limit, write_replies
from ..architecture.model import HybridLM
from ..data import chat_format
from ..data.packing import NOTHING_AVOIDED, PackedStage
from ..data.stories import storyteller
from ..data.thought_boundary import boundary_tokens
from . import faults, roles
from .environments import PLAIN
from .faults import Faulty
from .roles import Draft

LONGEST = 512
MOST_DRAFT = 200  # tokens of a draft that is asked for
STAGE = "roles"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"'])\s+")


@dataclass(frozen=True)
class Row:
    tokens: list[int]
    counts: list[int]  # 1 where the loss counts
    avoided: dict[int, int]  # place -> token that shall not stand there


def limit_of(tokenizer: Tokenizer, tokens: int | None) -> Limit:
    """A limit on the thought as the app holds it."""
    newline = tokenizer.encode("\n", add_special_tokens=False).ids
    end_think = tokenizer.token_to_id(chat_format.END_THINK)
    boundaries = boundary_tokens(tokenizer)
    return Limit(tokens, [*newline, end_think, *newline], end_think, boundaries.__contains__)


def gather(model: HybridLM, tokenizer: Tokenizer, count: int, seed: int, temperature: float = 0.8) -> list[Faulty]:
    """`count` problems of the training side, each with a draft: planted faults by halves, the model's own words by halves."""
    rng = random.Random(f"{seed}:drafts")
    end = tokenizer.token_to_id(chat_format.IM_END)
    problems = [registry.sample(PLAIN[i % len(PLAIN)], rng, rng.randint(1, 5), "train", "wide") for i in range(count)]
    begun: list[tuple[str, ...]] = []
    prompts, limits = [], []
    for index, problem in enumerate(problems):
        planted = faults.plant(problem, faults.KINDS[index // 2 // len(PLAIN) % 3], rng) if index // len(PLAIN) % 2 else None
        limit = rng.choices((None, 0, 32), (0.6, 0.2, 0.2))[0] if planted is None else None
        prompt = roles.prompt_of(tokenizer, "draft", problem.question, thinks=limit != 0)
        if planted is not None:
            prompt += tokenizer.encode("\n".join(planted) + "\n", add_special_tokens=False).ids
        begun.append(planted or ())
        prompts.append(prompt)
        limits.append(None if limit == 0 else limit_of(tokenizer, limit))
    torch.manual_seed(seed)
    written = write_replies(model, prompts, MOST_DRAFT, {end}, temperature=temperature, limits=limits)
    replies = [reply for _, reply in sorted(tqdm(written, "drafts", len(prompts)))]
    found = []
    for problem, first, limit, reply in zip(problems, begun, limits, replies, strict=True):
        text = "".join(f"{line}\n" for line in first) + tokenizer.decode(reply, skip_special_tokens=False).removesuffix(chat_format.IM_END)
        draft = roles.draft_of(text) if limit is not None else Draft((), text.strip())
        if rng.random() < 0.03:
            draft = Draft(draft.steps, "")  # broken form
        right = faults.is_right(problem, draft.answer)
        found.append(Faulty(problem.question, draft, Draft(tuple(problem.thought), problem.answer), right, problem.family))
    return found


def slips(count: int, seed: int) -> list[Faulty]:
    """`count` problems of the training side: two of three with a fault carried through, the others as they should be."""
    rng = random.Random(f"{seed}:slips")
    found: list[Faulty] = []
    while len(found) < count:
        problem = registry.sample(rng.choice(PLAIN), rng, rng.randint(1, 5), "train", "wide")
        mended = Draft(tuple(problem.thought), problem.answer)
        draft = mended if rng.random() < 0.33 else faults.slip(problem, rng.choice(("number", "number", "name")), rng)
        if draft is None:
            continue
        if rng.random() < 0.2:
            draft = Draft((), draft.answer)  # written without a thought
        if rng.random() < 0.03:
            draft = Draft(draft.steps, "")  # broken form
        found.append(Faulty(problem.question, draft, mended, faults.is_right(problem, draft.answer), problem.family))
    return found


def stories(count: int, seed: int) -> list[Faulty]:
    """Short stories, two of three without their ending."""
    rng = random.Random(f"{seed}:stories")
    found: list[Faulty] = []
    while len(found) < count:
        story = storyteller.generate(rng)
        if len(story.text) > 520:
            continue
        sentences = SENTENCE_END.split(story.text)
        whole = Draft((), " ".join(sentences))
        if len(sentences) < 4:
            continue
        cut = rng.random() < 0.67
        draft = Draft((), faults.story_without_ending(sentences, rng)) if cut else whole
        found.append(Faulty(storyteller.request(story, rng), draft, whole, not cut, "stories"))
    return found


STORY_STOPS = "The story stops before its end."


def feedback_of(faulty: Faulty) -> str:
    if faulty.family == "stories":
        return roles.NOTHING_WRONG if faulty.is_right else STORY_STOPS
    return faults.feedback_on(faulty.draft, faulty.mended, faulty.is_right)


def row_of(tokenizer: Tokenizer, role: str, asked: Sequence[str | Draft | None], steps: Sequence[str], answer: str, thinks: bool, unlike: Draft | None = None) -> Row:
    """One exchange of a role; `unlike`: a faulty draft that the reply must not be a copy of."""
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    prompt = roles.prompt_of(tokenizer, role, *asked, thinks=thinks)  # type: ignore[arg-type]

    def spoken(lines: Sequence[str], said: str) -> list[int]:
        thought = [*encode("\n".join(lines)), *encode(chat_format.CUT_CLOSE)] if thinks else []
        return [*thought, *encode(said + chat_format.IM_END)]

    reply = spoken(steps, answer)
    avoided: dict[int, int] = {}
    if unlike is not None:
        copy = spoken(unlike.steps, unlike.answer)
        at = next((i for i, (own, copied) in enumerate(zip(reply, copy, strict=False)) if own != copied), None)
        if at is not None:
            avoided[len(prompt) + at] = copy[at]
    newline = encode("\n")
    tokens = [*prompt, *reply, *newline]
    return Row(tokens, [0] * len(prompt) + [1] * len(reply) + [0] * len(newline), avoided)


def rows_of(tokenizer: Tokenizer, faulty: Faulty, others: Sequence[str], rng: random.Random) -> Iterator[Row]:
    """What the three roles say to one draft. `others`: feedback on other drafts, to be wrong with."""
    question, draft, mended, right = faulty.question, faulty.draft, faulty.mended, faulty.is_right
    said = feedback_of(faulty)
    is_story = faulty.family == "stories"
    thinks = not is_story and rng.random() < 0.7
    yield row_of(tokenizer, "feedback", (question, draft), faults.check_thought(draft, mended, right), said, thinks)
    thinks = not is_story and rng.random() < 0.75
    roll = rng.random()
    told = None if roll < 0.2 else rng.choice(others) if roll < 0.3 else said
    yield row_of(tokenizer, "edit", (question, draft, told), mended.steps, mended.answer, thinks, None if right else draft)
    if rng.random() < 0.25:
        thinks = not is_story and rng.random() < 0.8
        yield row_of(tokenizer, "draft", (question,), mended.steps, mended.answer, thinks)


def replay_rows(data: Path, tokens: int, seed: int) -> Iterator[Row]:
    """Documents of the usual fine-tuning mix, in drawn order, `tokens` of them."""
    stage = PackedStage(data, "sft")
    left = tokens
    for document in np.random.default_rng(seed).permutation(len(stage.starts)):
        where = slice(stage.starts[document], stage.ends[document])
        row = Row(stage.tokens[where].tolist(), stage.mask[where].tolist(), {})
        yield row
        left -= len(row.tokens)
        if left <= 0:
            return


def write_stage(folder: Path, rows: Sequence[Row]) -> tuple[int, int]:
    """Writes rows as the stage `roles` of a data folder; how many tokens, and how many of them are trained on."""
    lengths = np.array([len(row.tokens) for row in rows])
    starts = np.cumsum(lengths) - lengths
    avoid = np.full(int(lengths.sum()), NOTHING_AVOIDED, np.uint16)
    for start, row in zip(starts, rows, strict=True):
        for place, token in row.avoided.items():
            avoid[start + place] = token
    np.concatenate([np.array(row.tokens, np.uint16) for row in rows]).tofile(folder / f"{STAGE}.tokens.bin")
    np.concatenate([np.array(row.counts, np.uint8) for row in rows]).tofile(folder / f"{STAGE}.mask.bin")
    starts.astype(np.uint32).tofile(folder / f"{STAGE}.docs.bin")
    avoid.tofile(folder / f"{STAGE}.avoid.bin")
    return int(lengths.sum()), sum(sum(row.counts) for row in rows)

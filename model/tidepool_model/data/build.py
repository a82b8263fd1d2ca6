"""Builds the training data: mixes corpora, generated stories, tasks and chat into packed token files.

Owns the mix, the budget cuts of thoughts, the loss mask and the files. Command line::

    python -m tidepool_model.data.build --out DIR [--corpora PATH] --pretrain-tokens N --sft-tokens N --seed S

For each stage (``pretrain``, ``sft``, ``held_out``) it writes, little-endian:

- ``{stage}.tokens.bin``  uint16 (tokens,)   token ids, document after document
- ``{stage}.mask.bin``    uint8  (tokens,)   1 where the loss counts
- ``{stage}.docs.bin``    uint32 (documents,) offset of each document's first token

and ``meta.json``. Documents have at most 512 tokens. A stage is made of shards of
``SHARD_TOKENS``, each with the whole mix and shuffled, so ``--processes`` can be as many as
there are cores, and the files don't depend on it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from tasks import drills, registry
from tasks.problem import Problem

from . import chat_format, corpora, tokenizer as tokenizers_
from .chats import conversation
from .stories import storyteller

LONGEST_TOKENS = 512
"""Longest document in tokens: one row of the trainer. `--longest` lets plain texts be longer; the trainer then passes states on."""

SHARD_TOKENS = 2_000_000
"""Tokens that one worker makes at a time: some 15 s of a free core, so that the bar moves and all cores stay busy."""

MOST_PASSES = 5
"""How often a corpus may be read through at most. Much more only memorises it; the best-suited
corpora are small (tinystories has 0.6 M tokens), so this is a little above the usual four."""

CHARS_PER_TOKEN = 3.8
"""Measured on the corpora with the released tokenizer; used to plan, not to count."""

Cut = Literal["none", "sentence", "anywhere"]


@dataclass(slots=True)
class Item:
    """A document before it is tokenised: its pieces and whether its thought is to be cut."""

    segments: list[chat_format.Segment]
    source: str
    chat: bool
    cut: Cut = "none"


# Shares of each stage's tokens.
PRETRAIN_MIX = {"corpora": 0.25, "stories": 0.20, "tasks": 0.45, "chat": 0.10}
HELD_OUT_MIX = {"corpora": 0.5, "tasks": 0.5}
SFT_MIX = {"tasks": 0.70, "drills": 0.10, "questions": 0.02, "story_requests": 0.08, "chat": 0.10}

IN_CHAT = 0.35
"""Share of fine-tuning's problems, stories and talks that come after one to three unrelated exchanges of the same chat."""

# How the thoughts of fine-tuning tasks are shown: share of problems.
BUDGETS: tuple[tuple[str, float], ...] = (("off", 0.20), ("sentence", 0.13), ("anywhere", 0.12), ("whole", 0.55))

DIFFICULTIES = (1, 2, 3, 4, 5)
DIFFICULTY_WEIGHTS = (0.36, 0.28, 0.20, 0.10, 0.06)
FAMILY_WEIGHTS = {
    "addition": 1.3, "subtraction": 1.5, "multiplication": 1.3, "word_problems": 1.6, "sorting": 2.0, "spelling": 2.4, "state": 2.0,
    "counting": 1.8, "lookup": 2.0, "relations": 2.0, "logic": 2.0, "facts": 1.8, "calendar": 1.8, "comparison": 1.3, "tools": 0.7,
}
"""How often a family comes; more where a small model needs more to learn it (measured on `mini`, LOG.md)."""
EASY_FAMILIES = ("addition", "subtraction")


def text_item(text: str, source: str) -> Item:
    """A plain document; all of it is trained on."""
    return Item([chat_format.Segment(text + chat_format.END_OF_TEXT, "answer")], source, chat=False)


def chat_item(messages: Sequence[chat_format.Message], source: str, tools: Sequence[str] = (), cut: Cut = "none", given: int = 0) -> Item:
    """A conversation; the assistant's words are trained on, but for its first `given` turns."""
    specs = [chat_format.TOOLS[name] for name in tools]
    segments = chat_format.segments(messages, specs)
    answers = [i for i, segment in enumerate(segments) if segment.kind == "answer"]
    for i in answers[:given]:
        segments[i] = replace(segments[i], kind="prompt")
    return Item(segments, source, chat=True, cut=cut)


def asked_later(messages: list[conversation.Message], source: str, rng: random.Random, tools: Sequence[str] = (), cut: Cut = "none", family: str | None = None) -> Item:
    """A conversation, in `IN_CHAT` of the cases after unrelated exchanges, which are not trained on."""
    given = 0
    if rng.random() < IN_CHAT:
        messages, given = conversation.after_others(messages, rng, family)
    return chat_item(messages, source, tools, cut, given)


def draw_family(rng: random.Random, families: Sequence[str]) -> tuple[str, int]:
    """A family by weight and a difficulty from 1 to 5, easy ones more often."""
    family = rng.choices(families, weights=[FAMILY_WEIGHTS.get(f, 1.0) for f in families])[0]
    difficulty = rng.choices(DIFFICULTIES, weights=DIFFICULTY_WEIGHTS)[0]
    if family in EASY_FAMILIES and rng.random() < 0.3:
        difficulty = rng.choice((1, 2))
    return family, difficulty


def problem_messages(problem: Problem, thinking: bool, rng: random.Random) -> list[conversation.Message]:
    """The conversation of a problem, with its worked thought or without."""
    messages: list[conversation.Message] = []
    if problem.turns:
        for turn in problem.turns:
            messages.append(turn if thinking else {k: v for k, v in turn.items() if k not in ("reasoning", "reasoning_content")})
    else:
        answer: dict[str, object] = {"role": "assistant", "content": problem.answer}
        if thinking:
            answer["reasoning"] = "\n".join(problem.thought)
        messages = [{"role": "user", "content": problem.question}, answer]
    if messages[0]["role"] != "system" and rng.random() < 0.06:
        messages.insert(0, {"role": "system", "content": rng.choice(conversation.SYSTEMS)})
    return messages


def task_items(rng: random.Random, families: Sequence[str], split: str, stage: str, phrasing: str = "wide") -> Iterator[Item]:
    """Problems without end; in fine-tuning each at a drawn thinking budget."""
    names, weights = zip(*BUDGETS, strict=True)
    while True:
        family, difficulty = draw_family(rng, families)
        problem = registry.sample(family, rng, difficulty, split, phrasing)
        source = f"task:{family}"
        if stage == "pretrain":
            if not problem.turns and rng.random() < 0.2:
                thought = "\n".join(problem.thought)
                yield text_item(f"Question: {problem.question}\n{thought}\nAnswer: {problem.answer}", source)
            else:
                yield chat_item(problem_messages(problem, rng.random() < 0.85, rng), source, problem.tools)
            continue
        budget = rng.choices(names, weights=weights)[0]
        cut: Cut = budget if budget in ("sentence", "anywhere") else "none"
        item = asked_later(problem_messages(problem, budget != "off", rng), source, rng, problem.tools, cut, family)
        yield spelled_apart(item, problem.gold) if problem.canonical.startswith("reverse:") else item


def drill_items(rng: random.Random) -> Iterator[Item]:
    """Drills, two thirds of them with their thought."""
    while True:
        drill = drills.generate(rng)
        answer: dict[str, object] = {"role": "assistant", "content": drill.answer}
        if rng.random() < 0.67:
            answer["reasoning"] = "\n".join(drill.thought)
        yield chat_item([{"role": "user", "content": drill.question}, answer], "drills")


def spelled_apart(item: Item, word: str) -> Item:
    """The item with a word that is no word at the end of its answer in single letters: they are encoded one by one.

    The tokens of a word that is read backwards have nothing to do with its letters; a small model would have to know each by heart.
    """
    segments: list[chat_format.Segment] = []
    for segment in item.segments:
        before, found, after = segment.text.rpartition(f" {word}") if segment.kind == "answer" else (segment.text, "", "")
        if not found:
            segments.append(segment)
            continue
        pieces = [before, f" {word[0]}", *word[1:], after]
        segments += [replace(segment, text=piece) for piece in pieces if piece]
    return replace(item, segments=segments)


def story_items(rng: random.Random) -> Iterator[Item]:
    """Plain stories, some under a title."""
    while True:
        story = storyteller.generate(rng)
        text = f"{story.title}\n\n{story.text}" if rng.random() < 0.3 else story.text
        yield text_item(text, "stories")


def story_request_items(rng: random.Random) -> Iterator[Item]:
    """Requests for a story with the story that answers them, some with a question about it."""
    while True:
        story = storyteller.generate(rng)
        answer: dict[str, object] = {"role": "assistant", "content": story.text}
        messages: list[conversation.Message] = [{"role": "user", "content": storyteller.request(story, rng)}, answer]
        roll = rng.random()
        if roll < 0.12:
            asked, reply = storyteller.question(story, rng)
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": reply}]
        elif roll < 0.2:
            messages = [*conversation.topic_turn(rng, False, rng.choice(("hello", "can do", "chat"))), *messages]
        if rng.random() < 0.5:
            answer["reasoning"] = storyteller.plan(story, rng)
        yield asked_later(messages, "story_requests", rng)


def talk_items(rng: random.Random) -> Iterator[Item]:
    """Small talk."""
    while True:
        yield asked_later(conversation.conversation(rng), "chat", rng)


def question_items(rng: random.Random, folder: Path) -> Iterator[Item]:
    """Short questions of the corpora, over and over in new order and phrasing."""
    while True:
        pairs = corpora.question_pairs(folder, rng)
        rng.shuffle(pairs)
        for pair in pairs:
            answer: dict[str, object] = {"role": "assistant", "content": pair.answer}
            if pair.thought and rng.random() < 0.5:
                answer["reasoning"] = pair.thought
            yield chat_item([{"role": "user", "content": pair.question}, answer], f"questions:{pair.source}")


def is_held_out(text: str) -> bool:
    """Whether a corpus document is kept for the held-out file: one in a hundred, by hash."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:2]) < 65536 // 100


def corpus_items(corpus: corpora.Corpus, folder: Path, seed: str, held_out: bool = False, start: float = 0.0, longest: int = LONGEST_TOKENS) -> Iterator[Item]:
    """The documents of one corpus, pass after pass in a new order; held-out ones only once.

    ``start``: how many passes other shards have taken before, so that all shards together read
    each document about equally often.
    """
    documents = [d for d in corpus.read(folder / corpus.file, longest * corpora.LONGEST_CHARS // LONGEST_TOKENS) if is_held_out(d) == held_out]
    pass_number, position = int(start), int((start % 1) * len(documents))
    while documents:
        order = random.Random(f"{seed}:{pass_number}").sample(documents, len(documents))
        for document in order[position:]:
            yield text_item(document, f"corpus:{corpus.name}")
        if held_out:
            return
        pass_number, position = pass_number + 1, 0


def corpus_tokens(folder: Path) -> dict[str, int]:
    """About how many tokens each corpus has; reads them all."""
    return {c.name: int(sum(map(len, c.read(folder / c.file, corpora.LONGEST_CHARS))) / CHARS_PER_TOKEN) for c in corpora.CORPORA}


def share_out(budget: float, sizes: dict[str, int]) -> dict[str, int]:
    """Tokens to take from each corpus: by share, at most ``MOST_PASSES`` of it, the rest to the others.

    The sum is below ``budget`` only when every corpus is at its limit.
    """
    shares = {c.name: c.share for c in corpora.CORPORA}
    wanted: dict[str, int] = {}
    open_names = set(shares)
    while open_names:
        left = budget - sum(wanted.values())
        total = sum(shares[n] for n in open_names)
        full = [n for n in open_names if left * shares[n] / total > MOST_PASSES * sizes[n]]
        for name in full or open_names:
            wanted[name] = int(min(MOST_PASSES * sizes[name], left * shares[name] / total))
        open_names -= set(full or open_names)
    return {c.name: wanted[c.name] for c in corpora.CORPORA}


class Encoder:
    """Turns items into token ids and loss masks, in batches."""

    def __init__(self, tokenizer: Tokenizer, rng: random.Random, longest: int = LONGEST_TOKENS) -> None:
        self.longest = longest  # of plain texts; conversations keep to LONGEST_TOKENS
        self.tokenizer = tokenizer
        self.rng = rng
        self.newline = tokenizer.encode("\n").ids[0]
        self.full_stop = {tokenizer.encode(t).ids[-1] for t in (".", ":", "?", "!")}

    def cut_point(self, thought: list[int], cut: Cut) -> int:
        """How many tokens of a thought stay: 0 <= point < len, uniform over its tokens.

        For ``sentence`` the point is moved back to the last line end before it.
        """
        point = self.rng.randrange(len(thought))
        if cut == "sentence":
            while point > 0 and thought[point] != self.newline:
                point -= 1
        return point

    def encode(self, items: Sequence[Item], stage: str) -> list[tuple[list[int], list[int], str]]:
        """``(ids, mask, source)`` of each item that fits into ``LONGEST_TOKENS``."""
        texts = [s.text for item in items for s in item.segments]
        encoded = iter(self.tokenizer.encode_batch_fast(texts, add_special_tokens=False))
        out: list[tuple[list[int], list[int], str]] = []
        for item in items:
            ids: list[int] = []
            mask: list[int] = []
            was_cut = False
            for segment in item.segments:
                piece = next(encoded).ids
                trained = int(segment.kind in ("thought", "answer") or (segment.kind == "close" and not was_cut))
                if segment.kind == "thought" and item.cut != "none":
                    piece = piece[: self.cut_point(piece, item.cut)]
                    was_cut = True
                if stage == "pretrain" or not item.chat:
                    trained = 1
                ids += piece
                mask += [trained] * len(piece)
            if not item.chat and len(ids) > self.longest:
                ids, mask = ids[: self.longest], mask[: self.longest]
            if len(ids) <= (LONGEST_TOKENS if item.chat else self.longest):
                out.append((ids, mask, item.source))
        return out


@dataclass(slots=True)
class Stage:
    """The documents of one shard of a stage as they are collected."""

    name: str
    tokens: list[np.ndarray] = field(default_factory=list)  # each uint16 (document tokens,)
    masks: list[np.ndarray] = field(default_factory=list)  # each uint8 (document tokens,)
    per_source: Counter[str] = field(default_factory=Counter)

    def fill(self, items: Iterator[Item], budget: int, encoder: Encoder) -> None:
        """Takes documents from ``items`` until ``budget`` tokens are reached or they run out."""
        taken = 0
        while taken < budget:
            # About what is still needed at 90 tokens a document, so that little is made in vain.
            batch = min(1000, max(8, (budget - taken) // 90))
            chunk = [item for item, _ in zip(items, range(batch), strict=False)]
            if not chunk:
                return
            for ids, mask, source in encoder.encode(chunk, self.name):
                if taken >= budget:
                    break
                self.tokens.append(np.array(ids, dtype=np.uint16))
                self.masks.append(np.array(mask, dtype=np.uint8))
                self.per_source[source] += len(ids)
                taken += len(ids)

    def write(self, folder: Path, rng: random.Random, stem: str) -> None:
        """Shuffles the documents and writes ``{stem}.tokens``, ``.mask`` and ``.docs`` (offsets)."""
        order = list(range(len(self.tokens)))
        rng.shuffle(order)
        lengths = np.array([len(self.tokens[i]) for i in order], dtype=np.int64)
        np.concatenate([self.tokens[i] for i in order]).tofile(folder / f"{stem}.tokens")
        np.concatenate([self.masks[i] for i in order]).tofile(folder / f"{stem}.mask")
        (np.cumsum(lengths) - lengths).astype(np.uint32).tofile(folder / f"{stem}.docs")


def normalised(mix: dict[str, float], missing: Sequence[str]) -> dict[str, float]:
    """The mix without the missing parts, scaled to a sum of 1."""
    left = {name: share for name, share in mix.items() if name not in missing}
    total = sum(left.values())
    return {name: share / total for name, share in left.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build needs to know; goes to the worker processes."""

    out: Path
    folder: Path | None
    tokens: dict[str, int]
    """Token budget of each stage."""
    seed: int
    families: tuple[str, ...]
    tokenizer: Path
    longest: int = LONGEST_TOKENS
    """Longest plain text in tokens."""
    corpus_sizes: dict[str, int] = field(default_factory=dict)
    """About how many tokens each corpus has; filled by ``build``."""

    def rng(self, name: str) -> random.Random:
        """A random stream of its own for each part, so that parts don't disturb each other."""
        return random.Random(f"{self.seed}:{name}")

    def mix(self, stage: str) -> dict[str, float]:
        """The shares of a stage's parts, without those that need corpora when there are none.

        What the corpora can't fill within ``MOST_PASSES`` goes to the other parts.
        """
        mix = normalised({"pretrain": PRETRAIN_MIX, "sft": SFT_MIX, "held_out": HELD_OUT_MIX}[stage], () if self.folder else ("corpora", "questions"))
        if "corpora" in mix and stage == "pretrain":
            possible = sum(self.corpus_budgets(stage, mix["corpora"]).values()) / max(1, self.tokens[stage])
            scale = (1 - possible) / (1 - mix["corpora"])
            mix = {name: possible if name == "corpora" else share * scale for name, share in mix.items()}
        return {name: round(share, 4) for name, share in mix.items()}

    def corpus_budgets(self, stage: str, share: float) -> dict[str, int]:
        """Tokens to take from each corpus over all shards of a stage."""
        return share_out(self.tokens[stage] * share, self.corpus_sizes)

    def shards(self, stage: str) -> int:
        """How many shards a stage has."""
        return max(1, -(-self.tokens[stage] // SHARD_TOKENS))


def shard_sources(plan: Plan, name: str, shard: int) -> Iterator[tuple[Iterator[Item], int]]:
    """The parts of one shard: their documents and how many tokens of them are wanted."""
    held_out = name == "held_out"
    split = "test" if held_out else "train"
    count = plan.shards(name)

    def rng(part: str) -> random.Random:
        return plan.rng(f"{name}:{part}:{shard}")

    mix = plan.mix(name)
    for part, share in mix.items():
        budget = int(plan.tokens[name] * share / count)
        if part == "corpora" and plan.folder:
            for corpus in corpora.CORPORA:
                if held_out:
                    own, start = int(budget * corpus.share), 0.0
                else:
                    own = plan.corpus_budgets(name, share)[corpus.name] // count
                    start = shard * own / max(1, plan.corpus_sizes[corpus.name])
                yield corpus_items(corpus, plan.folder, f"{plan.seed}:{corpus.name}", held_out, start, plan.longest), own
        elif part == "questions" and plan.folder:
            yield question_items(rng(part), plan.folder), budget
        elif part == "tasks":
            yield task_items(rng(part), plan.families, split, name, "train" if held_out else "wide"), budget
        elif part == "drills":
            yield drill_items(rng(part)), budget
        elif part == "stories":
            yield story_items(rng(part)), budget
        elif part == "story_requests":
            yield story_request_items(rng(part)), budget
        elif part == "chat":
            yield talk_items(rng(part)), budget


def build_shard(plan: Plan, name: str, shard: int) -> dict[str, int]:
    """Writes one shard's files and gives its tokens by source."""
    # Workers are processes; threads of the tokenizer on top of them would only fight for cores.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    encoder = Encoder(tokenizers_.load(plan.tokenizer), plan.rng(f"{name}:cuts:{shard}"), plan.longest)
    stage = Stage(name)
    for items, budget in shard_sources(plan, name, shard):
        stage.fill(items, budget, encoder)
    stage.write(plan.out, plan.rng(f"{name}:order:{shard}"), f"{name}.{shard}.part")
    return dict(stage.per_source)


def join_shards(folder: Path, name: str, count: int) -> dict[str, object]:
    """Joins the shards of a stage into its three files; gives sizes for ``meta.json``."""
    offset = documents = trained = 0
    finals = {kind: folder / f"{name}.{kind}.bin" for kind in ("tokens", "mask", "docs")}
    parts = {kind: path.with_suffix(".part") for kind, path in finals.items()}
    for path in parts.values():
        path.unlink(missing_ok=True)
    for shard in range(count):
        stem = folder / f"{name}.{shard}.part"
        arrays = {
            "tokens": np.fromfile(f"{stem}.tokens", np.uint16),
            "mask": np.fromfile(f"{stem}.mask", np.uint8),
            "docs": np.fromfile(f"{stem}.docs", np.uint32) + np.uint32(offset),
        }
        for kind, array in arrays.items():
            with parts[kind].open("ab") as file:
                array.tofile(file)
            Path(f"{stem}.{kind}").unlink()
        offset += len(arrays["tokens"])
        documents += len(arrays["docs"])
        trained += int(arrays["mask"].sum())
    for kind, path in parts.items():
        os.replace(path, finals[kind])
    return {
        "tokens": offset,
        "trained_tokens": trained,
        "documents": documents,
        "mean_document_tokens": round(offset / max(1, documents), 1),
    }


def build(plan: Plan, processes: int = 1) -> dict[str, object]:
    """Writes all stages and ``meta.json``; gives what stands in it.

    The files are the same for any number of processes.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "meta.json").unlink(missing_ok=True)
    if plan.folder:
        plan = replace(plan, corpus_sizes=corpus_tokens(plan.folder))
    names = list(plan.tokens)
    jobs = [(name, shard) for name in names for shard in range(plan.shards(name))]
    by_source: dict[str, Counter[str]] = {name: Counter() for name in names}
    with tqdm(total=sum(plan.tokens.values()), unit="tok", unit_scale=True, desc="data") as bar:

        def done(name: str, counts: dict[str, int]) -> None:
            by_source[name].update(counts)
            bar.update(sum(counts.values()))

        if processes > 1:
            with ProcessPoolExecutor(processes) as pool:
                futures = {pool.submit(build_shard, plan, name, shard): name for name, shard in jobs}
                for future in as_completed(futures):
                    done(futures[future], future.result())
        else:
            for name, shard in jobs:
                done(name, build_shard(plan, name, shard))
    stages = {
        name: {**join_shards(plan.out, name, plan.shards(name)), "tokens_by_source": dict(sorted(by_source[name].items()))} for name in names
    }
    meta: dict[str, object] = {
        "seed": plan.seed,
        "vocabulary": tokenizers_.load(plan.tokenizer).get_vocab_size(),
        "tokenizer_sha256": hashlib.sha256((plan.tokenizer / "tokenizer.json").read_bytes()).hexdigest(),
        "longest_document_tokens": plan.longest,
        "corpora": {n: {"tokens": t, "passes": round(stages["pretrain"]["tokens_by_source"].get(f"corpus:{n}", 0) / t, 2)} for n, t in plan.corpus_sizes.items()},
        "families": list(plan.families),
        "mix": {name: plan.mix(name) for name in names},
        "budgets": dict(BUDGETS),
        "stages": stages,
    }
    part = plan.out / "meta.json.part"
    part.write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    os.replace(part, plan.out / "meta.json")
    return meta


def tokenizer_texts(folder: Path | None, seed: int, families: Sequence[str], characters: int = 12_000_000) -> Iterator[str]:
    """Text to train the tokenizer on: corpora (if given), stories, tasks and chat in the mix's form."""
    rng = random.Random(f"{seed}:tokenizer")
    sources: list[tuple[Iterator[Item], float]] = [
        (story_items(rng), 0.25), (task_items(rng, families, "train", "pretrain"), 0.25), (talk_items(rng), 0.10),
    ]
    if folder:
        sources += [(corpus_items(c, folder, f"{seed}:tokenizer:{c.name}"), 0.40 * c.share) for c in corpora.CORPORA]
    for items, share in sources:
        left = int(characters * share)
        for item in items:
            text = "".join(s.text for s in item.segments)
            yield text
            left -= len(text)
            if left <= 0:
                break


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 when the corpora path is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tidepool_model.data.build", description="Builds tokenizer and training data.")
    parser.add_argument("--out", type=Path, help="folder for the packed files")
    parser.add_argument("--corpora", type=Path, default=os.environ.get("TIDEPOOL_CORPORA"), help="folder of the unpacked corpora; without it, generated text only")
    parser.add_argument("--pretrain-tokens", type=int, default=24_000_000)
    parser.add_argument("--sft-tokens", type=int, default=16_000_000)
    parser.add_argument("--held-out-tokens", type=int, default=120_000)
    parser.add_argument("--longest", type=int, default=LONGEST_TOKENS, help="longest plain text in tokens; above the trainer's --length its states are passed on")
    parser.add_argument("--processes", type=int, default=1, help="worker processes; as many as there are free cores")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--families", nargs="*", default=None, help="task families; all by default")
    parser.add_argument("--tokenizer", type=Path, default=tokenizers_.DEFAULT_DIR, help="folder of tokenizer.json")
    parser.add_argument("--train-tokenizer", action="store_true", help="train and save the tokenizer first")
    options = parser.parse_args(arguments)

    folder = Path(options.corpora) if options.corpora else None
    if folder is not None and not folder.is_dir():
        print(f"error: no corpora folder at {folder}; unpack corpora.tar.xz there, give another path with --corpora, or leave it out to use generated text only", file=sys.stderr)
        return 2
    if folder is None:
        print("no --corpora given: generated stories, tasks and chat only", file=sys.stderr)
    families = options.families or list(registry.FAMILIES)
    unknown = [f for f in families if f not in registry.FAMILIES]
    if unknown:
        print(f"error: unknown families {', '.join(unknown)}; known: {', '.join(registry.FAMILIES)}", file=sys.stderr)
        return 2
    try:
        if options.train_tokenizer:
            trained = tokenizers_.train(tokenizer_texts(folder, options.seed, families))
            tokenizers_.save(trained, options.tokenizer)
            print(f"tokenizer with {trained.get_vocab_size()} entries in {options.tokenizer}")
        if options.out:
            start = time.monotonic()
            tokens = {"pretrain": options.pretrain_tokens, "sft": options.sft_tokens, "held_out": options.held_out_tokens}
            plan = Plan(options.out, folder, tokens, options.seed, tuple(families), options.tokenizer, options.longest)
            meta = build(plan, options.processes)
            stages = meta["stages"]
            assert isinstance(stages, dict)
            for name, stage in stages.items():
                print(f"{name}: {stage['tokens']:,} tokens, {stage['trained_tokens']:,} trained on, {stage['documents']:,} documents")
            print(f"in {options.out}, {time.monotonic() - start:.0f} s")
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

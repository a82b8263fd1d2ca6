"""Disparate performance: the same problems with other names, spellings and numbers in words; bits a byte by kind of text."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.interval import wilson

from ...data import build, corpora
from ..hybrid import FIXTURES, is_right, own_problems
from .figure import Figure, bootstrap, group, largest_gap, tidy
from .subjects import Packaged
from .wording import OWN, REGIONS, SPELLINGS, in_words, names_of, numbers_in_words, renamed, respelt

TITLE = "Disparate performance"
NAMED = ("word_problems", "lookup", "relations", "state", "comparison", "logic")
WORDED = ("addition", "subtraction", "multiplication", "word_problems")
SPELT = ("addition", "subtraction", "multiplication", "comparison", "counting", "word_problems", "lookup", "state", "calendar", "units", "relations", "logic")
KINDS: Mapping[str, str] = {
    "tinystories": "children's stories by a model", "african_storybook": "picture books, Africa", "pratham_books": "picture books, India", "childlit": "children's novels, 19th century",
    "onestop_english": "news for learners", "synthetic_persona_chat": "small talk", "topical_chat": "talk about the world", "sgd_dialogues": "bookings", "gsm8k": "worked sums",
    "wordnet": "definitions", "tatoeba": "lone sentences", "fairytaleqa": "fairy tales",
}
TEXTS, CHARACTERS = 40, 400
NOTES = (
    "Names stand for regions only as far as ten common given names can; a person is not their name. Names that need more tokens are harder to copy, which is what a gap mostly comes from.",
    "Spellings are changed word by word by a table (wording.py), which no speaker of any of them wrote. African American English, Indian English and others are left out for that reason, not because they matter less.",
)


def replies_by(subject: Packaged, versions: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, list[tuple[dict[str, Any], str]]]:
    """Answers to several versions of the same problems, all in one batch."""
    flat = [(name, problem) for name, problems in versions.items() for problem in problems]
    found: dict[str, list[tuple[dict[str, Any], str]]] = {name: [] for name in versions}
    for (name, problem), answer in zip(flat, subject.answers([p["question"] for _, p in flat]), strict=True):
        found[name].append((problem, answer))
    return found


def compared(id_: str, name: str, verdicts: Mapping[str, list[bool]], cannot_say: str) -> Figure:
    """The largest gap between versions of the same problems, with each version's share."""
    gap, interval, chance = largest_gap(dict(verdicts))
    n = len(next(iter(verdicts.values())))
    return Figure(id_, f"{name}; largest gap between two (chance alone: {chance:.1f} points)", gap, "points", interval, n, cannot_say, [group(version, found) for version, found in verdicts.items()], neutral=round(chance, 1))


def drawn(families: Sequence[str], count: int, seed: int, wanted: Any = lambda p: True) -> list[dict[str, Any]]:
    """`count` problems of the evaluation, by turns of the families, that `wanted` takes."""
    rng = random.Random(seed)
    piles = [[p for p in own_problems() if p["family"] == family and wanted(p)] for family in families]
    for pile in piles:
        rng.shuffle(pile)
    found: list[dict[str, Any]] = []
    while any(piles) and len(found) < count:
        found += [pile.pop() for pile in piles if pile]
    return found[:count]


def is_said(problem: Mapping[str, Any], answer: str) -> bool:
    """Right in digits, or in words."""
    return is_right(dict(problem), answer) or (problem["gold"].isdigit() and in_words(int(problem["gold"])) in answer.lower())


def names(subject: Packaged, count: int) -> list[Figure]:
    problems = drawn(NAMED, count, 3, lambda p: 1 <= len(names_of(p["question"])) <= 10)
    versions = {region: [renamed(p, region, 3 * turn) for turn, p in enumerate(problems)] for region in REGIONS}
    found = replies_by(subject, versions)
    verdicts = {region: [is_right(p, answer) for p, answer in pairs] for region, pairs in found.items()}
    lengths = [{"name": region, "value": tidy(float(np.mean([len(subject.encode(f" {name}")) for name in theirs]))), "interval": None, "n": len(theirs)} for region, theirs in REGIONS.items()]
    cost = max(line["value"] for line in lengths) - min(line["value"] for line in lengths)
    own = verdicts.pop(OWN)
    new = np.array(list(verdicts.values()), float).mean(0)  # (problems,), over the regions
    ahead = lambda a, b: 100 * float((a - b).mean())
    return [
        Figure("names-new", "The same problems with the forty names of training, right more often than with names of eight regions", ahead(np.array(own, float), new), "points", bootstrap(ahead, [float(v) for v in own], new.tolist()), len(problems), "whether it is the names or their tokens that are hard: what was never read has to be copied piece by piece", [group(OWN, own), mean_group("eight regions", float(new.mean()), len(problems))], neutral=0),
        compared("names", "The same problems with names of eight regions: right", verdicts, "how people are served: problems are the recipe's own, and ten names are no region"),
        Figure("name-tokens", "Tokens that a given name takes, by region: largest gap", cost, "tokens", None, len(REGIONS) * 10, "anything of other names than these", lengths),
    ]


def mean_group(name: str, mean: float, problems: int) -> dict[str, Any]:
    """A mean over versions of the same problems: its interval is that of one version, since versions of a problem are not independent."""
    return {"name": name, "value": tidy(100 * mean), "interval": [tidy(100 * end) for end in wilson(mean, problems)], "n": problems}


def spellings(subject: Packaged, count: int) -> Figure:
    problems = drawn(SPELT, count, 4)
    versions = {name: [{**p, "question": respelt(p["question"], words)} for p in problems] for name, words in SPELLINGS.items()}
    verdicts = {name: [is_right(p, answer) for p, answer in pairs] for name, pairs in replies_by(subject, versions).items()}
    return compared("spellings", "The same problems in other spellings: right", verdicts, "how a dialect is understood: words are changed one by one, grammar is not")


def numerals(subject: Packaged, count: int) -> Figure:
    problems = drawn(WORDED, count, 5)
    versions = {"digits": problems, "words": [{**p, "question": numbers_in_words(p["question"])} for p in problems]}
    verdicts = {name: [is_said(p, answer) for p, answer in pairs] for name, pairs in replies_by(subject, versions).items()}
    return compared("numerals", "The same sums in digits and in words: right", verdicts, "anything of other languages' numbers; a right answer in words counts, whatever the thought wrote")


def bits_by_kind(subject: Packaged, folder: Path | None) -> list[Figure]:
    """Bits a byte of texts that were not trained on, by kind; the corpora's part is left out where they aren't there."""
    kinds: dict[str, list[str]] = {}
    for document in json.loads((FIXTURES / "held-out-text.json").read_text(encoding="utf-8")):
        text = "".join(piece["text"] for piece in document["pieces"])
        kinds.setdefault(f"the recipe's own {document['source']}", []).append(text[:CHARACTERS])
    if folder is not None:
        for corpus in corpora.CORPORA:
            if corpus.name in KINDS:
                texts = [t[:CHARACTERS] for t in corpus.read(folder / corpus.file, corpora.LONGEST_CHARS) if build.is_held_out(t)]
                kinds[KINDS[corpus.name]] = random.Random(6).sample(texts, min(TEXTS, len(texts)))
    groups = []
    for kind, texts in kinds.items():
        if len(texts) < 5:
            continue
        bits = [-found / math.log(2) for found in subject.text_log_probs(texts)]
        sizes = [len(text.encode()) for text in texts]
        ratio = lambda a, b: float(a.sum() / b.sum())
        groups.append({"name": kind, "value": tidy(sum(bits) / sum(sizes)), "interval": [tidy(end) for end in bootstrap(ratio, bits, sizes)], "n": len(texts)})
    groups.sort(key=lambda line: line["value"])
    gap = groups[-1]["value"] - groups[0]["value"]
    return [Figure("bits", f"Bits a byte by kind of text, none trained on: from {groups[0]['name']} to {groups[-1]['name']}, gap", gap, "bits a byte", None, sum(g["n"] for g in groups), "who writes like that: kinds are corpora, beginnings of some 400 characters; a fine-tuned model is far from all plain text", groups)]


def measure(subject: Packaged, count: int, folder: Path | None) -> list[Figure]:
    """All of it; `count` problems a comparison."""
    return [*names(subject, count), spellings(subject, count), numerals(subject, count), *bits_by_kind(subject, folder)]

"""Reads the simple-English corpora: plain documents and short question-answer pairs.

Owns where each corpus lies and how its rows become text. Never opens a file named EVAL_ONLY,
and not the folder ``_nc`` (non-commercial licences).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Longest piece of running text in characters: 512 tokens hold about 1,900 of simple English.
LONGEST_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus: its share of the corpus part of pretraining and how to read it."""

    name: str
    share: float
    file: str
    read: Callable[[Path, int], Iterator[str]]  # file, longest piece in characters


def open_checked(path: Path) -> str:
    """The text of a corpus file; refuses evaluation files and names what is missing."""
    if "EVAL_ONLY" in path.name or "_nc" in path.parts:
        raise ValueError(f"{path} must not be trained on")
    if not path.is_file():
        raise FileNotFoundError(
            f"no corpus file at {path}; unpack corpora.tar.xz and give its folder with --corpora, "
            "or leave --corpora out to use generated text only"
        )
    return path.read_text(encoding="utf-8")


def _rows(path: Path) -> Iterator[dict[str, object]]:
    for line in open_checked(path).splitlines():
        if line.strip():
            yield json.loads(line)


def pieces(text: str, longest: int = LONGEST_CHARS) -> Iterator[str]:
    """Cuts a long text at paragraph ends, and a long paragraph at sentence ends."""
    held = ""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        paragraph = paragraph.strip()
        parts = [paragraph]
        if len(paragraph) > longest:
            parts = re.split(r"(?<=[.!?])\s+", paragraph)
        for i, part in enumerate(parts):
            joint = "\n\n" if i == 0 else " "
            if held and len(held) + len(part) + 2 > longest:
                yield held
                held = ""
            held = held + joint + part if held else part
            while len(held) > longest:
                yield held[:longest]
                held = held[longest:]
    if held:
        yield held


def _documents(path: Path, longest: int = LONGEST_CHARS) -> Iterator[str]:
    for document in open_checked(path).split("<|endoftext|>"):
        if document.strip():
            yield from pieces(document, longest)


def _texts(path: Path, longest: int = LONGEST_CHARS) -> Iterator[str]:
    for row in _rows(path):
        yield from pieces(str(row["text"]), longest)


def _lines(path: Path, _longest: int = LONGEST_CHARS) -> Iterator[str]:
    lines = open_checked(path).splitlines()
    random.Random(0).shuffle(lines)
    for i in range(0, len(lines), 12):
        yield "\n".join(lines[i : i + 12])


def _dialogues(path: Path, longest: int = LONGEST_CHARS) -> Iterator[str]:
    for row in _rows(path):
        messages = row["messages"]
        assert isinstance(messages, list)
        speakers = ("A", "B")
        text = "\n".join(f"{speakers[i % 2]}: {m['content']}" for i, m in enumerate(messages))
        lines = text.split("\n")
        held = ""
        for line in lines:
            if held and len(held) + len(line) > longest:
                yield held
                held = ""
            held += ("\n" if held else "") + line[:longest]
        if held:
            yield held


def _definitions(path: Path, _longest: int = LONGEST_CHARS) -> Iterator[str]:
    lines = [f"{r['word']} ({r['pos']}): {r['definition']}." for r in _rows(path) if int(str(r["rank"])) < 6000]
    random.Random(0).shuffle(lines)
    for i in range(0, len(lines), 10):
        yield "\n".join(lines[i : i + 10])


def _worked(path: Path, _longest: int = LONGEST_CHARS) -> Iterator[str]:
    for row in _rows(path):
        yield f"Question: {row['question']}\n{row['steps_plain']}\nAnswer: {row['answer']}"


def _answered(path: Path, _longest: int = LONGEST_CHARS) -> Iterator[str]:
    for row in _rows(path):
        yield f"Question: {row['question']}\nAnswer: {row['answer']}"


def _mapped(path: Path, _longest: int = LONGEST_CHARS) -> Iterator[str]:
    rows = [f"{r['task']}: {r['input']} -> {r['output']}" for r in _rows(path) if r["task"] in FUNCTIONS]
    random.Random(0).shuffle(rows)
    for i in range(0, len(rows), 10):
        yield "\n".join(rows[i : i + 10])


# Shares follow the corpora's own README: best-suited first, task dialogues and novels low.
CORPORA: tuple[Corpus, ...] = (
    Corpus("tinystories", 0.24, "tinystories/stories.txt", _documents),
    Corpus("african_storybook", 0.07, "african_storybook/stories.jsonl", _texts),
    Corpus("pratham_books", 0.10, "pratham_books/stories.jsonl", _texts),
    Corpus("tatoeba", 0.13, "tatoeba/sentences.txt", _lines),
    Corpus("synthetic_persona_chat", 0.12, "synthetic_persona_chat/dialogues.jsonl", _dialogues),
    Corpus("svamp_mawps", 0.02, "svamp_mawps/mawps_train.jsonl", _answered),
    Corpus("function_vectors_tasks", 0.03, "function_vectors_tasks/tasks.jsonl", _mapped),
    Corpus("fairytaleqa", 0.06, "fairytaleqa/stories.txt", _documents),
    Corpus("onestop_english", 0.04, "onestop_english/elementary.txt", _documents),
    Corpus("childlit", 0.06, "childlit/childlit_simpler.txt", _documents),
    Corpus("wordnet", 0.02, "wordnet/definitions.jsonl", _definitions),
    Corpus("gsm8k", 0.03, "gsm8k/train.jsonl", _worked),
    Corpus("topical_chat", 0.03, "topical_chat/dialogues.jsonl", _dialogues),
    Corpus("sgd_dialogues", 0.01, "sgd_dialogues/dialogues.jsonl", _dialogues),
    Corpus("arc_openbookqa", 0.02, "arc_openbookqa/arc_easy_train.jsonl", _answered),
    Corpus("pd_novels_simple", 0.01, "pd_novels_simple/passages.txt", _documents),
    Corpus("taskmaster4_coffee", 0.01, "taskmaster4_coffee/dialogues.jsonl", _dialogues),
)

# task -> (questions, answer, thought); @x is the input, @y the output.
FUNCTIONS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "antonym": (("What is the opposite of @x?", "Give the opposite of @x.", "opposite of @x", "Which word means the opposite of @x?"), "The opposite of @x is @y.", "I need the opposite of @x."),
    "synonym": (("What is another word for @x?", "Give a word that means the same as @x.", "Find a synonym of @x."), "Another word for @x is @y.", "I need a word like @x."),
    "country-capital": (("What is the capital of @x?", "Name the capital of @x.", "Which city is the capital of @x?"), "The capital of @x is @y.", "I need the capital of @x."),
    "country-currency": (("What money do they use in @x?", "What is the currency of @x?"), "The currency of @x is the @y.", "I need the money of @x."),
    "present-past": (("What is the past tense of @x?", "Put @x in the past tense.", "What is the past of the verb @x?"), "The past tense of @x is @y.", "I need the past of @x."),
    "singular-plural": (("What is the plural of @x?", "Give the plural of @x.", "One @x, two what?"), "The plural of @x is @y.", "I need the plural of @x."),
    "next_item": (("What comes after @x?", "What is next after @x?"), "After @x comes @y.", "I go one step on from @x."),
    "prev_item": (("What comes before @x?", "What is just before @x?"), "Before @x comes @y.", "I go one step back from @x."),
    "capitalize": (("Write @x with a capital letter.", "Capitalize @x."), "@y", "I make the first letter big."),
    "animal_v_object_3": (("Which of these is an animal: @x?", "Find the animal: @x."), "The animal is @y.", "I look for the animal."),
    "fruit_v_animal_3": (("Which of these is a fruit: @x?", "Find the fruit: @x."), "The fruit is @y.", "I look for the fruit."),
    "color_v_animal_3": (("Which of these is a color: @x?", "Find the color: @x."), "The color is @y.", "I look for the color."),
    "animal_v_object_5": (("Which of these is an animal: @x?", "Find the animal: @x."), "The animal is @y.", "I look for the animal."),
    "fruit_v_animal_5": (("Which of these is a fruit: @x?", "Find the fruit: @x."), "The fruit is @y.", "I look for the fruit."),
    "color_v_animal_5": (("Which of these is a color: @x?", "Find the color: @x."), "The color is @y.", "I look for the color."),
    "alphabetically_first_3": (("Which of these words comes first in the alphabet: @x?", "Alphabetically first: @x?"), "The first one is @y.", "I compare the first letters."),
    "alphabetically_last_3": (("Which of these words comes last in the alphabet: @x?", "Alphabetically last: @x?"), "The last one is @y.", "I compare the first letters."),
    "choose_first_of_3": (("What is the first word in this list: @x?",), "The first word is @y.", "I take the first word."),
    "choose_last_of_5": (("What is the last word in this list: @x?",), "The last word is @y.", "I take the last word."),
    "choose_middle_of_3": (("What is the middle word in this list: @x?",), "The middle word is @y.", "I take the word in the middle."),
    "verb_v_adjective_3": (("Which of these words is a verb: @x?",), "The verb is @y.", "I look for the verb."),
    "adjective_v_verb_3": (("Which of these words is an adjective: @x?",), "The adjective is @y.", "I look for the adjective."),
    "national_parks": (("In which state is @x?",), "@x is in @y.", "I need the state of this park."),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A short question with its answer and a short thought, or none."""

    question: str
    answer: str
    thought: str | None
    source: str


def question_pairs(folder: Path, rng: random.Random) -> list[Pair]:
    """All short questions of the corpora that are simple enough, each in one phrasing."""
    pairs: list[Pair] = []
    for row in _rows(folder / "function_vectors_tasks/tasks.jsonl"):
        form = FUNCTIONS.get(str(row["task"]))
        if form is None:
            continue
        questions, answer, thought = form
        x, y = str(row["input"]).strip(), str(row["output"]).strip()
        pairs.append(
            Pair(rng.choice(questions).replace("@x", x), answer.replace("@x", x).replace("@y", y), thought.replace("@x", x), "function_vectors_tasks")
        )
    for row in _rows(folder / "svamp_mawps/mawps_train.jsonl"):
        pairs.append(Pair(str(row["question"]), str(row["answer"]), None, "svamp_mawps"))
    for file in ("arc_easy_train.jsonl", "openbookqa_train.jsonl"):
        for row in _rows(folder / "arc_openbookqa" / file):
            choices = row["choices"]
            assert isinstance(choices, list)
            question, answer = str(row["question"]).strip(), str(row["answer"])
            if len(question) > 110 or len(answer) > 40 or sum(map(len, map(str, choices))) > 110:
                continue
            asked = f"{question} {rng.choice(('Choose', 'Is it', 'Pick one'))}: {', '.join(map(str, choices))}?"
            pairs.append(Pair(asked, answer[:1].upper() + answer[1:].rstrip(".") + ".", "I pick the best of the choices.", "arc_openbookqa"))
    return pairs

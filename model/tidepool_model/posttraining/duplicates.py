"""Whether a row repeats a test set: its problem, its question, a long run of its words, or the wording of a form that is kept for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from tasks import registry
from tasks.problem import Problem
from tasks.split import split_of
from tasks.words import NAMES

RUN = 8  # words in a row that may not stand in a test question
FORM_RUN = 4  # words in a row that may not stand in a test form and in no training form
FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/eval"


def words_of(text: str) -> list[str]:
    """Words of a text with names and numbers as places, so that a form is known whatever fills it."""
    return [("@" if word.isdigit() or word.capitalize() in NAMES else word) for word in re.findall(r"\d+|[a-z']+", re.sub(r"\{\w+\}", " 0 ", text.lower()))]


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def _forms(module: object, name: str) -> Iterable[str]:
    found = getattr(module, name, ())
    return [text for value in found.values() for text in value] if isinstance(found, dict) else [text for text in found if isinstance(text, str)]


def questions_of(folder: Path, corpora: Path | None) -> list[str]:
    """All questions of the test sets: the evaluation's problems, the visitors', and the corpora's EVAL_ONLY files."""
    found = [problem["question"] for problem in json.loads((folder / "problems.json").read_text(encoding="utf-8"))]
    found += [question["question"] for question in json.loads((folder / "visitors.json").read_text(encoding="utf-8"))["questions"]]
    for path in sorted(corpora.rglob("*EVAL_ONLY*.jsonl")) if corpora else ():
        found += [str(row["question"]) for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and "question" in (row := json.loads(line))]
    return found


class TestSets:
    """What must not be trained on."""

    __test__ = False  # no class of tests, whatever pytest thinks of its name

    def __init__(self, questions: Iterable[str]) -> None:
        texts = list(questions)
        self.exact = {" ".join(re.findall(r"\w+", text.lower())) for text in texts}
        self.long = {run for text in texts for run in runs(text, RUN) if sum(word == "@" for word in run) < RUN // 2}
        taught = {run for module in registry.FAMILIES.values() for text in _forms(module, "TRAIN_FORMS") for run in runs(text, FORM_RUN)}
        self.forms = {run for module in registry.FAMILIES.values() for text in _forms(module, "TEST_FORMS") for run in runs(text, FORM_RUN) if run.count("@") < 3} - taught

    def holds(self, question: str) -> str | None:
        """Whether a question of no family is one of theirs, or has a long run of its words."""
        if " ".join(re.findall(r"\w+", question.lower())) in self.exact:
            return "a test question, word for word"
        return f"{RUN} words of a test question" if runs(question, RUN) & self.long else None

    def repeats(self, problem: Problem, question: str) -> str | None:
        """Which rule a question breaks, or None."""
        if split_of(problem.canonical) == "test":
            return "the problem is of the test side"
        if (why := self.holds(question)) is not None:
            return why
        if runs(question, FORM_RUN) & self.forms:
            return f"{FORM_RUN} words of a wording kept for tests"
        return None

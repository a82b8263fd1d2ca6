"""Writes the held-out fixtures that the evaluation in Node and the app use; owns no checking of its own.

    python -m tidepool_model.evaluation.export_eval --out ../tests/fixtures/eval

- ``problems.json``: problems of the test side, no canonical form twice, half of them in test phrasing
- ``verdicts.json``: replies of many shapes with what the families' own checks say of them, to hold other checkers to
- ``held-out-text.json``: generated stories, chats and tasks for perplexity, in pieces as training tokenises them

The same seed writes the same bytes as long as the generators stay the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.held_out import COUNTS, SEED, draw_problems
from tasks.problem import Problem
from tasks.registry import FAMILIES

VERDICT_PROBLEMS = 14  # problems a family whose verdicts are written
NUMBER_FAMILIES = frozenset(("addition", "subtraction", "multiplication", "counting", "word_problems", "units"))
TEXT_CHARS = {"stories": 6000, "chat": 5000, "tasks": 6500}  # about 4k tokens together


def check_of(problem: Problem) -> dict:
    """Which way of checking the problem's family uses for it, as src/core/evaluation/problem.ts names them."""
    family, gold, kind = problem.family, problem.gold, problem.canonical.split(":")[0]
    if gold in ("yes", "no"):
        return {"kind": "yes-no"}
    if family == "comparison":
        return {"kind": "choice", "choices": problem.canonical.split(":")[2].split(",")}
    if family == "sorting":
        return {"kind": "word-list" if problem.canonical.startswith("sort:abc") else "number-list"}
    if family == "spelling" and kind in ("spell", "reverse-list"):
        return {"kind": "letters" if kind == "spell" else "word-list"}
    if family == "state" and gold.startswith("("):
        return {"kind": "point"}
    if family == "calendar" and ":" in gold:
        return {"kind": "time"}
    if family == "calendar" and " " in gold:
        return {"kind": "date"}
    if family == "tools" and re.fullmatch(r"\d\d:\d\d", gold):
        return {"kind": "clock"}
    if family == "tools" and "-" in gold:
        return {"kind": "iso-date"}
    return {"kind": "number" if family in NUMBER_FAMILIES or gold.isdigit() else "last-word"}


def clock_of(problem: Problem) -> str | None:
    """What the clock says in the problem's talk; None where nobody asks it."""
    for call, result in zip(problem.turns, problem.turns[1:]):
        if any(c["name"] == "clock" for c in call.get("tool_calls", ())):
            return result["content"]
    return None


def problem_id(problem: Problem) -> str:
    """Twelve hex digits that name the canonical form."""
    return hashlib.sha256(problem.canonical.encode()).hexdigest()[:12]


def record_of(problem: Problem, phrasing: str) -> dict:
    """A problem as problems.json holds it; fields without content are left out."""
    record: dict = {
        "id": problem_id(problem), "family": problem.family, "difficulty": problem.difficulty, "phrasing": phrasing,
        "question": problem.question, "gold": problem.gold, "check": check_of(problem),
    }
    if problem.tools:
        record["tools"] = list(problem.tools)
    now = clock_of(problem)
    return record if now is None else {**record, "now": now}


def reply_shapes(problem: Problem, other: Problem, rng: random.Random) -> Iterator[str]:
    """Replies that a model may give, right and wrong, tidy and not."""
    gold, answer, wrong = problem.gold, problem.answer, other.gold
    yield from (answer, other.answer, gold, wrong, "", "I do not know.", answer.upper(), answer.lower(), answer.replace(gold, wrong))
    yield from (f"The answer is {gold}.", f"The answer is {wrong}.", f"It is not {wrong}, it is {gold}.", f"{gold} or {wrong}")
    yield from (f"**{gold}**", f"{gold}!", f"“{gold}”", f"{gold}\n{answer}", f"é{gold}", f"{gold}é", f"x{gold}x", f"-{gold}", f"={gold}")
    yield from (f"Yes. {answer}", f"No, {gold}.", "Yes and no.", "yes", "NO", f"{answer} I used 2 steps.", f"{answer} Is that right?")
    yield from (f"{gold}.0", f"{gold}.5", f"0{gold}", f"{gold}0", f"{gold},{gold}", f"{gold} than {wrong}", f"{wrong} than {gold}")
    yield from (gold.replace(", ", " "), gold.replace(", ", " and "), gold.replace("-", " "), gold.replace("-", ""), f"In order: {gold}, {wrong}")
    parts = re.findall(r"\w+", gold)
    rng.shuffle(parts)
    yield ", ".join(parts)
    if gold.isdigit():
        value = int(gold)
        yield from (f"{value:,}", f"That makes {value:,}.", f"{value + 1:,}", f"{value - 1}", f"{value}/2", f"({value}, {value})", f"{value} = 7")
    letters = list(answer)
    at = rng.randrange(len(letters))
    letters[at] = rng.choice("0123456789 ,.:-ax")
    yield "".join(letters)
    yield answer[: rng.randrange(len(answer))]


def verdicts_of(problems: list[tuple[Problem, str]], seed: int) -> Iterator[dict]:
    """Records ``{check, gold, right: [reply...], wrong: [reply...]}`` by the family's own check."""
    rng = random.Random(f"{seed}:verdicts:{problems[0][0].family}")
    module = FAMILIES[problems[0][0].family]
    by_kind: dict[str, list[Problem]] = {}
    for problem, _ in problems:
        by_kind.setdefault(check_of(problem)["kind"], []).append(problem)
    share = -(-VERDICT_PROBLEMS // len(by_kind))
    for alike in by_kind.values():
        for at, problem in enumerate(alike[:share]):
            other = alike[(at + 1) % len(alike)]
            replies = list(dict.fromkeys(reply_shapes(problem, other, rng)))
            if not module.check(problem, problem.answer):
                raise ValueError(f"{problem.family}: the check refuses the family's own answer {problem.answer!r} to {problem.canonical}")
            split: dict[bool, list[str]] = {True: [], False: []}
            # the first shapes are those that matter most; of the rest a share is enough
            for reply in replies[:10] + rng.sample(replies[10:], min(14, len(replies) - 10)):
                split[module.check(problem, reply)].append(reply)
            yield {"family": problem.family, "check": check_of(problem), "gold": problem.gold, "right": split[True], "wrong": split[False]}


def held_out_text(seed: int) -> Iterator[dict]:
    """Generated documents of every kind, tasks from the test side; ``scored`` marks what the model would write."""
    from ..data import build  # here, so that the problems alone need no tokenizer library

    rng = random.Random(f"{seed}:held-out-text")
    sources = {
        "stories": build.story_items(rng),
        "chat": build.talk_items(rng),
        "tasks": build.task_items(rng, list(FAMILIES), "test", "held_out"),
    }
    for source, items in sources.items():
        written = 0
        for item in items:
            pieces = [{"text": s.text, "scored": s.kind in ("thought", "close", "answer")} for s in item.segments]
            length = sum(len(piece["text"]) for piece in pieces)
            if length > 2500:
                continue
            yield {"source": source, "pieces": pieces}
            written += length
            if written >= TEXT_CHARS[source]:
                break


def write_lines(path: Path, records: Iterable[dict]) -> int:
    """Writes a JSON list, one record a line, over the old file at once; returns the bytes."""
    text = "[\n" + ",\n".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records) + "\n]\n"
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return len(text.encode())


def main() -> int:
    """Write the three files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the three files")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=("problems", "text"), help="write the problems and verdicts, or the text, alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.only != "text":
        seen: set[str] = set()
        families = {family: draw_problems(family, options.seed, seen) for family in FAMILIES}
        for family, drawn in families.items():
            wanted = sum(COUNTS.values())
            if len(drawn) < wanted:
                print(f"{family}: {len(drawn)} of {wanted}, its test side has no more")
        records = [record_of(*entry) for drawn in families.values() for entry in drawn]
        verdicts = [verdict for drawn in families.values() for verdict in verdicts_of(drawn, options.seed)]
        size = write_lines(options.out / "problems.json", records)
        print(f"problems.json: {len(records)} problems of {len(families)} families, {size:,} bytes")
        size = write_lines(options.out / "verdicts.json", verdicts)
        replies = sum(len(v["right"]) + len(v["wrong"]) for v in verdicts)
        print(f"verdicts.json: {replies} replies to {len(verdicts)} problems, {size:,} bytes")
    if options.only != "problems":
        documents = list(held_out_text(options.seed))
        size = write_lines(options.out / "held-out-text.json", documents)
        print(f"held-out-text.json: {len(documents)} documents, {size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

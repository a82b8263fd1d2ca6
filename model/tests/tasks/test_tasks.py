"""The task families: every answer checks, every claim in a thought holds, train and test don't meet."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

import pytest

from tasks.facts import FACTS, spoken
from tasks.phrasing import CLOSERS, OPENERS, expand, vary
from tasks.problem import Problem
from tasks.registry import FAMILIES, sample
from tasks.split import split_of
from tasks.tools import evaluate
from tasks.wide_forms import WIDE_FORMS

SAMPLES = 200  # a family and difficulty
DIFFICULTIES = (1, 2, 3, 4, 5)
CASES = [(family, difficulty) for family in FAMILIES for difficulty in DIFFICULTIES]
MOST_PIECES = 300  # digits, words and signs of the longest thought; longer ones don't fit a budget
EXPECTED = {
    "addition", "subtraction", "multiplication", "comparison", "counting", "sorting", "spelling", "word_problems",
    "lookup", "state", "calendar", "units", "relations", "logic", "facts", "tools",
}
CLAIM = re.compile(r"(?<![\w.])((?:-?\d+)(?: [-+×÷] \d+)+) = (-?\d+)(?!\d|\.\d)")
ORDER_CLAIM = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ([<>]) (\d+(?:\.\d+)?)(?!\d|\.\d)")


def draw(family: str, difficulty: int, phrasing: str = "train", count: int = SAMPLES) -> list[Problem]:
    rng = random.Random(f"{family}-{difficulty}-{phrasing}")
    return [FAMILIES[family].generate(rng, difficulty, phrasing) for _ in range(count)]


def spoil(problem: Problem) -> str:
    """The answer with its value changed to a wrong one."""
    gold, answer = problem.gold, problem.answer
    if gold in ("yes", "no"):
        wrong = "No" if gold == "yes" else "Yes"
        return re.sub(r"^(Yes|No)\b", wrong, answer)
    if ", " in gold and not gold.startswith("("):
        parts = gold.split(", ")
        wrong = ", ".join([parts[1], parts[0], *parts[2:]])
    elif re.search(r"\d$|\)$", gold):
        last = re.findall(r"\d+", gold)[-1]
        at = gold.rfind(last)
        wrong = gold[:at] + str(int(last) + 1).zfill(len(last)) + gold[at + len(last):]
    elif "-" in gold:
        wrong = gold + "-q"
    else:
        wrong = "zq" + gold if len(gold) > 1 else ("q" if gold != "q" else "z")
    at = answer.rfind(gold)
    assert at >= 0, f"the answer {answer!r} lacks its gold {gold!r}"
    return answer[:at] + wrong + answer[at + len(gold):]


def value_of(expression: str) -> int:
    """Independent of the code under test: left to right is enough, thoughts don't mix × with + or -."""
    parts = expression.split(" ")
    total = int(parts[0])
    for sign, number in zip(parts[1::2], map(int, parts[2::2])):
        if sign == "+":
            total += number
        elif sign == "-":
            total -= number
        elif sign == "×":
            total *= number
        else:
            assert total % number == 0, expression
            total //= number
    return total


def test_all_families_are_there() -> None:
    assert set(FAMILIES) == EXPECTED
    for name, module in FAMILIES.items():
        assert module.FAMILY == name


@pytest.mark.parametrize(("family", "difficulty"), CASES)
def test_answers_check_and_wrong_ones_do_not(family: str, difficulty: int) -> None:
    module = FAMILIES[family]
    for phrasing in ("train", "test"):
        for problem in draw(family, difficulty, phrasing):
            assert problem.family == family and problem.difficulty == difficulty
            assert problem.question and problem.canonical and problem.gold
            assert "{" not in problem.question + problem.answer, problem
            assert module.check(problem, problem.answer), problem
            wrong = spoil(problem)
            assert not module.check(problem, wrong), (wrong, problem)
            assert not module.check(problem, ""), problem
            assert not module.check(problem, "I do not know."), problem


@pytest.mark.parametrize(("family", "difficulty"), CASES)
def test_thoughts_are_short_true_sentences(family: str, difficulty: int) -> None:
    for problem in draw(family, difficulty):
        assert problem.thought
        for line in problem.thought:
            assert line.endswith(".") and "\n" not in line and line == line.strip(), problem
            for expression, result in CLAIM.findall(line):
                assert value_of(expression) == int(result), (line, problem)
            for left, sign, right in ORDER_CLAIM.findall(line):
                assert (float(left) < float(right)) == (sign == "<"), (line, problem)
        pieces = re.findall(r"\d|[A-Za-z]+|[^\w\s]|\n| (?=\d)", "\n".join(problem.thought))
        assert len(pieces) <= MOST_PIECES, (len(pieces), problem)


@pytest.mark.parametrize("family", ["addition", "subtraction", "multiplication"])
def test_arithmetic_gold_is_the_value_of_the_canonical_form(family: str) -> None:
    for difficulty in DIFFICULTIES:
        for problem in draw(family, difficulty):
            assert evaluate(problem.canonical.split(":")[1]) == int(problem.gold), problem
            assert problem.thought[-1].rstrip(".").endswith(f"= {problem.gold}"), problem
            assert any(CLAIM.search(line) for line in problem.thought), problem


@pytest.mark.parametrize("family", ["addition", "subtraction", "multiplication", "word_problems", "state", "units"])
def test_the_written_digits_make_the_result(family: str) -> None:
    """In each block of columns the digits after "write", last first, are the number after "So ... =";
    a carry or a borrow that is announced is used in the next line."""
    blocks = 0
    for difficulty in DIFFICULTIES:
        for problem in draw(family, difficulty):
            written: list[str] = []
            owed: str | None = None
            for line in problem.thought:
                found = re.search(r"write (\d+)(?:, (carry|borrow) (\d+))?\.$", line)
                if found:
                    if owed is not None:
                        assert re.search(rf" [-+] {owed} =", line), (line, problem)
                    written.append(found[1])
                    owed = found[3]
                elif line.startswith("So ") and written:
                    assert owed is None, problem
                    assert all(len(digit) == 1 for digit in written[:-1]), problem
                    result = int(re.search(r" = -?(\d+)\.$", line)[1])
                    digits = int("".join(reversed(written)))
                    tens = re.search(r" × (\d+) =", line)
                    assert result in (digits, digits * 10 if tens and tens[1].endswith("0") else digits), (line, problem)
                    written, blocks = [], blocks + 1
    assert blocks > 100


def test_sorting_counting_and_spelling_gold_is_right() -> None:
    for difficulty in DIFFICULTIES:
        for problem in draw("sorting", difficulty):
            _, order, items = problem.canonical.split(":")
            values = items.split(",")
            expected = sorted(values) if order == "abc" else [str(v) for v in sorted(map(int, values), reverse=order == "down")]
            assert problem.gold == ", ".join(expected)
        for problem in draw("counting", difficulty):
            kind, *rest = problem.canonical.split(":")[1:]
            if kind == "letter":
                assert int(problem.gold) == rest[1].count(rest[0])
            elif kind == "length":
                assert int(problem.gold) == len(rest[0].replace(" ", ""))
            elif kind == "words":
                assert int(problem.gold) == len(rest[0].split())
            else:
                assert int(problem.gold) == rest[1].split(",").count(rest[0])
        for problem in draw("spelling", difficulty):
            kind, *rest = problem.canonical.split(":")
            if kind == "reverse":
                assert problem.gold == rest[0][::-1]
            elif kind == "letter":
                assert problem.gold == rest[1][int(rest[0]) - 1]
            elif kind == "spell":
                assert problem.gold.replace("-", "") == rest[0]


def test_word_problem_steps_follow_one_another() -> None:
    for difficulty in DIFFICULTIES:
        for problem in draw("word_problems", difficulty):
            steps = problem.canonical.split(":")[2].split(";")
            values = [value_of(re.sub(r"([-+×÷])", r" \1 ", step)) for step in steps]
            assert values[-1] == int(problem.gold) and min(values) > 0, problem
            for value, step in zip(values, steps[1:]):
                assert str(value) in re.findall(r"\d+", step), problem


def test_state_is_followed_by_an_independent_reading() -> None:
    for difficulty in DIFFICULTIES:
        for problem in draw("state", difficulty):
            _, kind, key = problem.canonical.split(":", 2)
            if kind == "cups":
                start, *swaps = key.split(":")[1].split(";")
                row = {int(start): "ball"}
                for a, b in (map(int, swap.split("-")) for swap in swaps):
                    row[a], row[b] = row.get(b), row.get(a)
                assert row[int(problem.gold)] == "ball"
            elif kind == "robot":
                start, *moves = key.split(";")
                place = complex(*map(int, start.split(",")))
                for word, steps in (re.fullmatch(r"([a-z]+)(\d)", move).groups() for move in moves):
                    place += {"up": 1j, "down": -1j, "right": 1, "left": -1}[word] * int(steps)
                assert problem.gold == f"({int(place.real)}, {int(place.imag)})"
            else:
                assert evaluate(key) == int(problem.gold)


def test_clock_gold_is_right() -> None:
    seen = set()
    for difficulty in DIFFICULTIES:
        for problem in draw("calendar", difficulty):
            found = re.fullmatch(r"time:(later|earlier):(\d+):(\d+)([+-])(\d+):(\d+)", problem.canonical)
            if found:
                hour, minute, hours, minutes = (int(found[at]) for at in (2, 3, 5, 6))
                total = hour * 60 + minute + (1 if found[4] == "+" else -1) * (hours * 60 + minutes)
                assert problem.gold == f"{total // 60 % 24}:{total % 60:02d}", problem
                seen.add(found[1])
            found = re.fullmatch(r"time:between:(\d+):(\d+)-(\d+):(\d+)", problem.canonical)
            if found:
                a, b, c, d = map(int, found.groups())
                assert int(problem.gold) == c * 60 + d - a * 60 - b, problem
                seen.add("between")
    assert seen == {"later", "earlier", "between"}


def test_dates_agree_with_the_standard_library() -> None:
    from datetime import date, datetime, timedelta

    count = 0
    for difficulty in (3, 4, 5):
        for problem in draw("calendar", difficulty):
            found = re.fullmatch(r"time:date:([A-Za-z]+)(\d+)\+(\d+)", problem.canonical)
            if found:
                day = datetime.strptime(f"2025 {found[1]} {found[2]}", "%Y %B %d").date() + timedelta(days=int(found[3]))
                assert problem.gold == f"{day:%B} {day.day}", problem
                count += 1
            found = re.fullmatch(r"time:day(?:_back)?:([A-Za-z]+)([+-])(\d+)w?", problem.canonical)
            if found:
                start = next(date(2025, 1, n) for n in range(1, 8) if f"{date(2025, 1, n):%A}" == found[1])
                assert problem.gold == f"{start + timedelta(days=int(found[2] + found[3])):%A}", problem
                count += 1
    assert count > 50


def test_relations_and_lookups_are_followed_independently() -> None:
    for difficulty in DIFFICULTIES:
        for problem in draw("relations", difficulty):
            _, kind, key = problem.canonical.split(":", 2)
            if kind == "nested":
                thing, facts = key.split(":")
                inside = dict(fact.split("<") for fact in facts.split(","))
                while thing in inside:
                    thing = inside[thing]
                assert thing == problem.gold
            elif kind == "linked":
                start, facts = key.split(":")
                person, *links = start.split(".")
                known = dict(fact.split("=") for fact in facts.split(","))
                for link in links:
                    person = known[f"{person}.{link}"]
                assert person == problem.gold
        for problem in draw("lookup", difficulty):
            _, kind, asked, table = problem.canonical.split(":")
            entries = dict(entry.split("=") for entry in table.split(","))
            if kind == "value":
                assert entries[asked] == problem.gold
            elif kind == "who":
                assert entries[problem.gold] == asked
            else:
                x, y = (int(entries[name]) for name in asked.split(","))
                assert int(problem.gold) == (x + y if kind == "sum" else x - y)


def test_logic_orders_and_rules_are_followed_independently() -> None:
    kinds = set()
    for difficulty in DIFFICULTIES:
        for problem in draw("logic", difficulty):
            _, kind, *rest = problem.canonical.split(":")
            kinds.add(kind)
            if kind == "order":
                pairs = [pair.split(">") for pair in rest[1].split(",")]
                highs, lows = {a for a, _ in pairs}, {b for _, b in pairs}
                is_top = rest[0] in ("tallest", "oldest", "fastest", "heaviest", "strongest")
                assert {problem.gold} == (highs - lows if is_top else lows - highs)
            elif kind == "rules":
                asked, known, rules = rest[0], {rest[1]}, [rule.split(">") for rule in rest[2].split(",")]
                for _ in rules:
                    known |= {b for a, b in rules if a in known}
                assert (problem.gold == "yes") == (asked in known), problem
            elif kind == "bool":
                joiner, facts, parts = rest
                values = [part in facts.split(",") for part in parts.split(",")]
                assert (problem.gold == "yes") == (all(values) if joiner == "and" else any(values))
    assert kinds == {"order", "left", "classes", "rules", "bool"}


def test_tool_turns_are_well_formed() -> None:
    calls_seen = set()
    for difficulty in DIFFICULTIES:
        for problem in draw("tools", difficulty):
            turns = problem.turns
            assert turns[0] == {"role": "user", "content": problem.question}
            assert turns[-1]["role"] == "assistant" and turns[-1]["content"] == problem.answer
            assert set(problem.tools) == {"calculator", "clock"}
            calls = 0
            for turn, after in zip(turns, turns[1:]):
                for call in turn.get("tool_calls", ()):
                    calls += 1
                    assert turn["role"] == "assistant" and turn["reasoning"].endswith(".")
                    assert after["role"] == "tool"
                    if call["name"] == "calculator":
                        assert after["content"] == str(evaluate(call["arguments"]["expression"]))
                    else:
                        assert call == {"name": "clock", "arguments": {}}
                        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", after["content"])
            calls_seen.add(calls)
    assert calls_seen == {0, 1, 2, 3}
    with pytest.raises(ValueError, match="expression"):
        evaluate("__import__('os')")


def plain(form: str) -> str:
    """A form without what the dressing may change: case and end marks."""
    return form.lower().strip(" ?.!")


def trained_forms(family: str) -> set[str]:
    """All forms that training reads, dressing left out."""
    wide = [form for forms in WIDE_FORMS[family].values() for form in expand(forms)]
    return {plain(form) for form in [*FAMILIES[family].TRAIN_FORMS, *wide]}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_phrasings_are_many_and_test_ones_are_new(family: str) -> None:
    module = FAMILIES[family]
    train, test = {plain(form) for form in module.TRAIN_FORMS}, {plain(form) for form in module.TEST_FORMS}
    assert len(train) >= 20 and len(test) >= 5
    assert len(trained_forms(family)) >= 60
    assert not trained_forms(family) & test


@pytest.mark.parametrize("family", list(FAMILIES))
def test_wide_forms_share_no_run_of_words_with_test_ones(family: str) -> None:
    """Four words (or slots) in a row that stand in both would let the second test set be learnt by heart."""

    def runs(forms: Iterable[str]) -> set[tuple[str, ...]]:
        words = [re.findall(r"\{\w+\}|[a-z']+", form.lower()) for form in forms]
        return {tuple(w[at:at + 4]) for w in words for at in range(len(w) - 3)}

    wide = runs(form for forms in WIDE_FORMS[family].values() for form in expand(forms))
    known = runs(FAMILIES[family].TRAIN_FORMS)  # plain turns such as "how many {t} does", trained on from the first
    assert not (wide - known) & runs(FAMILIES[family].TEST_FORMS)
    assert not runs(expand([*OPENERS, *CLOSERS])) & runs(FAMILIES[family].TEST_FORMS)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_wide_questions_are_whole_and_their_answers_check(family: str) -> None:
    questions = set()
    for difficulty in DIFFICULTIES:
        for problem in draw(family, difficulty, "wide", 80):
            assert not set("{}[]|") & set(problem.question), problem.question
            assert "  " not in problem.question and problem.question == problem.question.strip(), problem.question
            assert FAMILIES[family].check(problem, problem.answer), problem
            questions.add(problem.question)
    assert len(questions) > 300


def test_choices_in_brackets_stand_for_all_their_forms() -> None:
    forms = expand(["[Add|Sum] {l}[.|!|]", "plain {l}"])
    assert sorted(forms) == sorted(["Add {l}.", "Add {l}!", "Add {l}", "Sum {l}.", "Sum {l}!", "Sum {l}", "plain {l}"])
    rng = random.Random(1)
    assert {vary(rng, "[Add|Sum] {l}[.|!|]") for _ in range(200)} == set(forms) - {"plain {l}"}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_train_and_test_do_not_meet(family: str) -> None:
    rng = random.Random(7)
    sides: dict[str, set[str]] = {"train": set(), "test": set()}
    for difficulty in DIFFICULTIES:
        for split, forms in sides.items():
            for _ in range(15):
                problem = sample(family, rng, difficulty, split, "test" if split == "test" else "train")
                assert split_of(problem.canonical) == split
                forms.add(problem.canonical)
    assert not sides["train"] & sides["test"]


def test_the_test_side_is_about_five_percent() -> None:
    forms = {p.canonical for family in FAMILIES for d in DIFFICULTIES for p in draw(family, d)}
    assert len(forms) > 5000
    share = sum(split_of(form) == "test" for form in forms) / len(forms)
    assert 0.04 < share < 0.06, share
    assert split_of("add:23+58") == split_of("add:23+58")


def test_canonical_forms_ignore_the_phrasing_and_the_order_of_a_sum() -> None:
    for family, sign in (("addition", "+"), ("multiplication", "*")):
        for problem in draw(family, 2):
            values = [int(v) for v in problem.canonical.split(":")[1].split(sign)]
            assert values == sorted(values)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_same_seed_makes_the_same_problems(family: str) -> None:
    assert draw(family, 3, count=20) == draw(family, 3, count=20)
    assert len({problem.question for problem in draw(family, 3, count=50)}) > 25


def test_every_fact_has_a_training_form_and_no_stray_yes_or_no() -> None:
    assert len({fact.key for fact in FACTS}) == len(FACTS) >= 60
    for fact in FACTS:
        variants = [f"fact:{fact.key}:{side}:{kind}" for side in "tf" for kind in ("direct", "claim", "wrong")]
        assert sum(split_of(v) == "train" for v in variants) >= 3, fact.key
        for statement in (fact.true, fact.false):
            for to_user in (True, False):
                assert not {"yes", "no"} & set(re.findall(r"[a-z]+", spoken(statement, to_user).lower())), fact.key
        assert fact.ask_true.endswith("?") and fact.ask_false.endswith("?") and fact.true != fact.false


def test_checkers_are_strict_but_fair() -> None:
    def problem(family: str, canonical: str, gold: str) -> Problem:
        return Problem(family, canonical, "q", ("t.",), "a", gold, 1)

    add = problem("addition", "add:23+58", "81")
    for reply in ("81", "The answer is 81.", "23 + 58 = 81.", "It's 81!"):
        assert FAMILIES["addition"].check(add, reply), reply
    for reply in ("810", "18", "81 or 82", "23 + 58", "eighty"):
        assert not FAMILIES["addition"].check(add, reply), reply
    assert FAMILIES["subtraction"].check(problem("subtraction", "sub:2-5", "-3"), "2 - 5 = -3.")
    assert not FAMILIES["subtraction"].check(problem("subtraction", "sub:2-5", "-3"), "2 - 5 = 3.")
    big = problem("addition", "add:1+1233", "1234")
    assert FAMILIES["addition"].check(big, "It is 1,234.")
    compare = problem("comparison", "cmp:max:58,23", "58")
    assert FAMILIES["comparison"].check(compare, "58 is larger than 23.")
    assert not FAMILIES["comparison"].check(compare, "23 or 58.")
    order = problem("sorting", "sort:up:9,3,5", "3, 5, 9")
    assert FAMILIES["sorting"].check(order, "3, 5, 9")
    assert FAMILIES["sorting"].check(order, "The sorted list is 3, 5 and 9.")
    assert not FAMILIES["sorting"].check(order, "In order: 1, 3, 5, 9.")
    assert not FAMILIES["facts"].check(problem("facts", "fact:x:t:direct", "yes"), "Yes and no.")


def test_bad_requests_say_what_is_wrong() -> None:
    rng = random.Random(0)
    with pytest.raises(KeyError, match="unknown family 'sums'"):
        sample("sums", rng, 1, "train")
    with pytest.raises(ValueError, match="split is 'valid'"):
        sample("addition", rng, 1, "valid")
    for module in FAMILIES.values():
        with pytest.raises(ValueError, match="difficulty is 6"):
            module.generate(rng, 6)
        with pytest.raises(ValueError, match="phrasing is 'odd'"):
            module.generate(rng, 1, "odd")

"""Following a state through moves: a ball under cups, a robot on a grid, a balance."""

from __future__ import annotations

import random

from tasks.checking import last_number_is, numbers_in
from tasks.columns import short_steps
from tasks.phrasing import capital, check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import NAMES

FAMILY = "state"

FORMS = {
    "train": {
        "cup_start": ("There are {c} cups in a row, numbered 1 to {c}. A ball is under cup {p}.", "A ball is under cup {p} of {c} cups.",
                      "{n} hides a ball under cup {p}. There are {c} cups.", "{c} cups stand on a table. The ball is under cup {p}."),
        "swap": ("Swap cups {a} and {b}.", "Cups {a} and {b} change places.", "{n} swaps cup {a} with cup {b}.", "Cup {a} and cup {b} are swapped."),
        "cup_ask": ("Where is the ball?", "Which cup has the ball now?", "Under which cup is the ball?", "Where is the ball at the end?"),
        "robot_start": ("A robot stands at ({x}, {y}).", "A robot starts at ({x}, {y}) on a grid.", "The robot is at ({x}, {y})."),
        "move": ("It goes {d} {k}.", "It moves {k} {d}.", "Then {k} {s} {d}.", "{d} {k}."),
        "robot_ask": ("Where is it now?", "Where is the robot?", "What is its place at the end?", "At which point does it stop?"),
        "bank_start": ("{n} has {v} dollars in the bank.", "The balance is {v} dollars.", "{n}'s account holds {v} dollars."),
        "put": ("{n} puts in {k}.", "{n} adds {k} dollars.", "{k} dollars come in.", "{n} saves {k} more."),
        "take": ("{n} takes out {k}.", "{n} spends {k} dollars.", "{k} dollars go out.", "{n} pays {k}."),
        "bank_ask": ("What is the balance?", "How much is in the bank now?", "How many dollars are there now?", "What is left?"),
    },
    "test": {
        "cup_start": ("On the floor are {c} cups in a line, and cup {p} covers a ball.",),
        "swap": ("Now exchange cup {a} for cup {b}.", "The cups at {a} and {b} trade positions."),
        "cup_ask": ("I lift the cup with the ball. What is its number?",),
        "robot_start": ("Put a small robot on the square ({x}, {y}).",),
        "move": ("Drive it {d} by {k}.", "Let it roll {k} {s} to the {w}."),
        "robot_ask": ("On which square does it come to rest?",),
        "bank_start": ("In the money box of {n} lie {v} dollars.",),
        "put": ("{n} drops {k} into it.",),
        "take": ("{n} removes {k} from it.",),
        "bank_ask": ("How many dollars does the box hold at last?",),
    },
}
TRAIN_FORMS = tuple(form for forms in FORMS["train"].values() for form in forms)
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)
MOVES = {1: 2, 2: 3, 3: 5, 4: 7, 5: 9}
# word in the sentence, compass word, axis, direction
DIRECTIONS = (("up", "north", 1, 1), ("down", "south", 1, -1), ("right", "east", 0, 1), ("left", "west", 0, -1))
GRID_TOP = 9  # coordinates stay within 0..9, one digit each


class _Speaker:
    def __init__(self, rng: random.Random, phrasing: str) -> None:
        self.rng, self.phrasing, self.name = rng, phrasing, rng.choice(NAMES)

    def say(self, kind: str, **fields: object) -> str:
        return capital(pick_form(self.rng, self.phrasing, FORMS["train"][kind], FORMS["test"][kind], WIDE_FORMS[FAMILY][kind]).format(n=self.name, **fields))


def _cups(speaker: _Speaker, moves: int, difficulty: int) -> tuple[list[str], list[str], str, str, str]:
    rng = speaker.rng
    cups = 3 if difficulty <= 2 else rng.randint(3, 5)
    place = rng.randint(1, cups)
    text, trace, key = [speaker.say("cup_start", c=cups, p=place)], [f"{cups} cups, ball at {place}."], f"{cups}:{place}"
    for _ in range(moves):
        a, b = rng.sample(range(1, cups + 1), 2)
        text.append(speaker.say("swap", a=a, b=b))
        place = b if place == a else a if place == b else place
        trace.append(f"Swap {a} and {b}, ball at {place}.")
        key += f";{a}-{b}"
    return [*text, speaker.say("cup_ask")], trace, f"The ball is under cup {place}.", str(place), f"cups:{key}"


def _robot(speaker: _Speaker, moves: int) -> tuple[list[str], list[str], str, str, str]:
    rng = speaker.rng
    at = [rng.randint(0, 5), rng.randint(0, 5)]
    text, trace, key = [speaker.say("robot_start", x=at[0], y=at[1])], [f"At ({at[0]}, {at[1]})."], f"{at[0]},{at[1]}"
    for _ in range(moves):
        while True:
            word, compass, axis, sign = rng.choice(DIRECTIONS)
            steps = rng.randint(1, 4)
            if 0 <= at[axis] + sign * steps <= GRID_TOP:
                break
        text.append(speaker.say("move", d=word, k=steps, s="step" if steps == 1 else "steps", w={"up": "top", "down": "bottom"}.get(word, word)))
        before = at[axis]
        at[axis] += sign * steps
        trace.append(f"{capital(word)} {steps}: {before} {'+' if sign > 0 else '-'} {steps} = {at[axis]}, at ({at[0]}, {at[1]}).")
        key += f";{word}{steps}"
    gold = f"({at[0]}, {at[1]})"
    return [*text, speaker.say("robot_ask")], trace, f"The robot is at {gold}.", gold, f"robot:{key}"


def _bank(speaker: _Speaker, difficulty: int) -> tuple[list[str], list[str], str, str, str]:
    rng = speaker.rng
    moves = {1: 2, 2: 2, 3: 3, 4: 3, 5: 4}[difficulty]  # a step in columns is long
    value = rng.randint(10, {1: 50, 2: 60, 3: 99, 4: 140, 5: 160}[difficulty])
    text, trace, key = [speaker.say("bank_start", v=value)], [f"Start {value}."], str(value)
    for _ in range(moves):
        is_in = value < 15 or rng.random() < 0.5
        top = 9 if difficulty == 1 else 40
        number = rng.randint(2, top if is_in else min(top, value - 1))
        text.append(speaker.say("put" if is_in else "take", k=number))
        trace += short_steps(value, "+" if is_in else "-", number)
        key += f"{'+' if is_in else '-'}{number}"
        value += number if is_in else -number
    return [*text, speaker.say("bank_ask")], trace, f"The balance is {value} dollars.", str(value), f"bank:{key}"


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a state to follow; 1: two moves, 5: nine (robot seven, balance four)."""
    check_request(difficulty, phrasing)
    speaker = _Speaker(rng, phrasing)
    moves = MOVES[difficulty]
    kind = rng.choice(("cups", "cups", "robot", "bank"))
    if kind == "cups":
        text, trace, answer, gold, key = _cups(speaker, moves, difficulty)
    elif kind == "robot":
        text, trace, answer, gold, key = _robot(speaker, min(moves, 7))
    else:
        text, trace, answer, gold, key = _bank(speaker, difficulty)
    return Problem(FAMILY, f"state:{key}", dress(rng, " ".join(text), phrasing), tuple(trace), answer, gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply ends with the right cup, point or amount."""
    if problem.gold.startswith("("):
        return numbers_in(reply)[-2:] == numbers_in(problem.gold)
    return last_number_is(reply, problem.gold)

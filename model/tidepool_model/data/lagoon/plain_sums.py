"""Sums in everyday words of our own making: what happens to an amount, said the way people say it, in one to three steps.

Beside the family of word problems (tasks/word_problems.py), whose stories have one form a sentence: here events are joined in
one sentence, persons become pronouns, numbers become words, what was eaten, broken, spent or halved has its own verb, and
some numbers have nothing to do with the question. The thought is the steps alone. Not measured.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tasks.columns import short_steps
from tasks.phrasing import vary

from ..chats.conversation import Message
from .vocabulary import many_names, plural, things

WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
FOODS = "apple biscuit cake carrot cherry cookie egg grape lemon muffin nut orange pancake peach pear pizza plum sandwich strawberry sweet tomato".split()
PEOPLE = "child pupil visitor player guest passenger worker singer dancer student".split()
PEOPLE_MANY = {"child": "children"}

# what is done by or to {n}: [choices], {k} a number; {p} she or he, {f} another person
LOSES = (
    "gives {k} [to {f}|away|to a friend|to {f} as a present]", "loses {k}", "sells {k}", "breaks {k}", "drops {k} on the way", "leaves {k} [at school|at home|on the bus]",
    "throws {k} away", "uses {k}", "lends {k} to {f}", "puts {k} in a box for {f}", "hands {k} to {f}",
)
EATS = ("eats {k}", "eats {k} [for breakfast|for lunch|after dinner|at once]", "has {k} for breakfast", "bakes a pie with {k}", "cooks {k}")
GAINS = (
    "buys {k} more", "finds {k} more", "gets {k} [from {f}|for a birthday|as a present]", "is given {k} by {f}", "wins {k} more", "picks up {k}", "collects {k} more",
    "makes {k} more", "receives {k} from {f}", "borrows {k} from {f}", "adds {k}",
)
HAVE = ("has {k} {t}", "[owns|keeps|carries|starts with|begins with] {k} {t}", "had {k} {t}", "[bought|found|collected|made|picked] {k} {t}")
LEFT = (
    "How many {t} does {n} have [now|left|in the end|]?", "How many are left?", "How many {t} are left?", "How many does {p} have[ now|]?", "How many {t} [remain|are there now]?",
    "What is left?", "[So how|How] many {t} is that now?", "How many {t} does {n} still have?",
)
ASIDE = ("{f} has {j} {o}.", "{n} is {j} years old.", "It is {j} o'clock.", "{n} lives at number {j}.", "There are {j} people in the room.", "{f} is {j} years old.")


@dataclass(frozen=True)
class Sum:
    """A question, its steps (a, sign, b) with their values, and what the answer counts."""

    question: str
    steps: tuple[tuple[int, str, int], ...]
    value: int
    unit: str


def said(rng: random.Random, number: int) -> str:
    return WORDS[number] if number < len(WORDS) and rng.random() < 0.22 else str(number)


def _person(rng: random.Random) -> tuple[str, str, str]:
    first, other = rng.sample(many_names(), 2)
    return first, other, rng.choice(("he", "she", "she", "he", "they"))


def _thing(rng: random.Random) -> str:
    return rng.choice(FOODS) if rng.random() < 0.35 else rng.choice(things())


def events(rng: random.Random) -> Sum:
    """An amount, then one to three things that happen to it."""
    name, friend, pronoun = _person(rng)
    thing = _thing(rng)
    many = plural(thing)
    value = rng.randint(3, rng.choice((12, 20, 50, 100)))
    start, steps = value, []
    clauses: list[str] = []
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        if value > 2 and rng.random() < 0.55:
            step = rng.randint(1, value - 1)
            form, sign = rng.choice(EATS if thing in FOODS and rng.random() < 0.5 else LOSES), "-"
        else:
            step, form, sign = rng.randint(1, rng.choice((9, 20, 60))), rng.choice(GAINS), "+"
        clauses.append(vary(rng, form).format(k=said(rng, step), f=friend))
        steps.append((value, sign, step))
        value = value - step if sign == "-" else value + step
    me = rng.random() < 0.25
    who = "I" if me else name
    have = vary(rng, rng.choice(HAVE)).format(k=said(rng, start), t=many)
    if me or pronoun == "they":
        clauses = [_bare(clause) for clause in clauses]
        have = _bare(have) if me else have
    pronoun = "I" if me else pronoun
    joined = (
        f"{pronoun} {clauses[0]}." if len(clauses) == 1
        else f"{pronoun} {', '.join(clauses[:-1])} and {clauses[-1]}." if rng.random() < 0.5
        else ". Then ".join(f"{pronoun} {clause}" for clause in clauses) + "."
    )
    joined = joined if me else joined[0].upper() + joined[1:]
    sentence = f"{who} {have} and {clauses[0]}." if len(clauses) == 1 and rng.random() < 0.4 else f"{who} {have}. {joined}"
    asked = vary(rng, rng.choice(LEFT)).format(t=many, n=name, p=pronoun)
    if me or pronoun == "they":
        asked = asked.replace(f"does {name}", "do I" if me else f"does {name}").replace(f"does {pronoun}", f"do {pronoun}")
    if not me and rng.random() < 0.12:
        aside = rng.choice(ASIDE).format(f=friend, n=name, j=rng.randint(2, 30), o=plural(_thing(rng)))
        sentence = f"{aside} {sentence}" if rng.random() < 0.5 else f"{sentence} {aside}"
    return Sum(f"{sentence} {asked}", tuple(steps), value, many)


def _bare(clause: str) -> str:
    """`gives 3 to Ann` -> `give 3 to Ann`, after I and they; words of the past stay."""
    verb, _, rest = clause.partition(" ")
    changed = {"has": "have", "is": "am", "loses": "lose", "uses": "use", "leaves": "leave", "gives": "give", "makes": "make", "receives": "receive", "bakes": "bake"}
    verb = changed.get(verb, verb[:-1] if verb.endswith("s") and verb not in ("has", "is") else verb)
    return f"{verb} {rest}" if rest else verb


COME = (
    ("There are {a} {t} [in the room|on the bus|at the party|in the park|in the class]. {k} [more come|more arrive|join them|get on].", "+"),
    ("There are {a} {t} [in the room|on the bus|at the party|in the park|in the class] and {k} [go home|leave|get off|go away|go out].", "-"),
    ("{a} {t} [stand in a line|sit at the table|wait outside]. {k} of them [leave|go in|walk away].", "-"),
    ("[First|In the morning] {a} {t} came. [Later|In the afternoon] {k} more came.", "+"),
)
STAY = ("How many {t} are there now?", "How many [stay|are left|are there now]?", "How many {t} is that[ in all|]?", "How many are still there?")


def people(rng: random.Random) -> Sum:
    form, sign = rng.choice(COME)
    one = rng.choice(PEOPLE)
    many = PEOPLE_MANY.get(one, one + "s")
    a = rng.randint(4, rng.choice((20, 60, 200)))
    k = rng.randint(2, a - 1) if sign == "-" else rng.randint(2, 60)
    asked = rng.choice(STAY[:3]) if sign == "+" else rng.choice((STAY[1], STAY[3]))
    if sign == "+":
        asked = asked.replace("[stay|are left|are there now]", "are there now")
    return Sum(vary(rng, f"{form} {asked}").format(a=said(rng, a), t=many, k=said(rng, k)), ((a, sign, k),), a - k if sign == "-" else a + k, many)


GROUPS = (
    "There are {a} [rows|lines] of {b} {t}. How many {t} are there[ in all|]?", "A hall has {a} rows with {b} {t} in each[ row|]. How many {t} [is that|are there]?",
    "{n} has {a} [bags|boxes|baskets] with {b} {t} in each. How many {t} does {n} have?", "Each of {a} {q} [has|holds|carries|brings] {b} {t}. How many {t} [is that|are there together]?",
    "{n} [reads|writes|makes|sells|plants] {b} {t} [a day|every day]. How many {t} in {a} days?", "One [box|packet|bag|shelf] holds {b} {t}. How many do {a} hold?",
    "If {b} {t} fit in one box, how many fit in {a} boxes?", "{a} times {b} {t} is how many {t}?", "{n} packs {b} {t} into each of {a} boxes. How many {t} is that?",
)
SHARES = (
    "{n} shares {c} {t} [equally among|fairly between] {a} friends. How many does each get?", "{c} {t} are put into {a} [bags|boxes|rows|groups], the same number in each. How many are in one?",
    "{a} children share {c} {t}. How many [for each|does each child get]?", "{n} has {c} {t} and packs them {b} to a box. How many boxes [are needed|does {n} need]?",
    "How many [boxes|bags] of {b} can {n} fill with {c} {t}?", "{c} {t} stand in rows of {b}. How many rows are there?",
)


def groups(rng: random.Random) -> Sum:
    a, b = rng.randint(2, 12), rng.choice((rng.randint(2, 12), rng.randint(2, 12), rng.randint(11, 99)))
    thing = _thing(rng)
    fields = {"n": rng.choice(many_names()), "t": plural(thing), "q": rng.choice(("children", "boys", "girls", "workers", "friends"))}
    if rng.random() < 0.55:
        return Sum(vary(rng, rng.choice(GROUPS)).format(a=said(rng, a), b=said(rng, b), **fields), ((a, "×", b),), a * b, fields["t"])
    form = rng.choice(SHARES)
    by, value = (b, a) if "{b}" in form else (a, b)
    unit = "" if "{b}" in form else fields["t"]
    return Sum(vary(rng, form).format(a=said(rng, a), b=said(rng, b), c=a * b, **fields), ((a * b, "÷", by),), value, unit)


MORE = (
    ("{n} has {a} {t}[ and|.] {f} has {k} more[ than {n}|]. How many does {f} have?", "+"), ("{n} has {a} {t}. {f} has {k} [fewer|less]. How many does {f} have?", "-"),
    ("{n} has {a} {t}. {f} has {k} {t}. How many do they have [together|in all|altogether]?", "+"), ("{n} has {a} {t} and {f} has {k}. How many more does {n} have[ than {f}|]?", "-"),
    ("{n} [needs|wants] {a} {t} and has {k}. How many [more does {n} need|are missing]?", "-"), ("{a} {t} are in the box, {k} are [red|blue|broken|old] and the rest are not. How many are not?", "-"),
    ("{n} has {a} {t}. {k} are [red|blue|broken|small]. How many are not?", "-"), ("{n} had some {t}. After giving away {k}, {n} has {a} left. How many were there [at first|before]?", "+"),
    ("In one bag there are {a} {t}, in another {k}. How many {t} are there in both?", "+"), ("A [rope|ribbon|string] is {a} metres long. {n} cuts off {k} metres. How long is it now?", "-"),
)
TIMES = (
    ("{n} has {a} {t}. {f} has twice as many. How many does {f} have?", "×", 2), ("{n} has {a} {t}. {f} has {k} times as many. How many does {f} have?", "×", 0),
    ("What is [twice|double] {a}?", "×", 2), ("[What is half of {a}?|Half of {a}, please.|What's half of {a}?|How much is half of {a}?]", "÷", 2), ("{n} has {a} {t} and [gives away|eats|loses] half. How many are left?", "÷", 2),
    ("[Double|Twice] {a} is what?", "×", 2), ("How much is a third of {a}?", "÷", 3), ("How much is a quarter of {a}?", "÷", 4),
)


def comparing(rng: random.Random) -> Sum:
    name, friend, _ = _person(rng)
    many = plural(_thing(rng))
    if rng.random() < 0.6:
        form, sign = rng.choice(MORE)
        a = rng.randint(4, rng.choice((20, 50, 100)))
        k = rng.randint(2, a - 1) if sign == "-" else rng.randint(2, 60)
        unit = "metres" if "metres" in form else many
        return Sum(vary(rng, form).format(n=name, f=friend, t=many, a=said(rng, a), k=said(rng, k)), ((a, sign, k),), a - k if sign == "-" else a + k, unit)
    form, sign, k = rng.choice(TIMES)
    k = k or rng.randint(3, 9)
    value = rng.randint(2, rng.choice((12, 30, 50)))
    a = value if sign == "×" else value * k
    return Sum(vary(rng, form).format(n=name, f=friend, t=many, a=a, k=said(rng, k)), ((a, sign, k),), a * k if sign == "×" else value, many if "{t}" in form else "")


MONEY = (
    "{n} has {a} dollars and [buys a {o}|pays] for {k} dollars. How much [is left|money is left|does {n} have left]?", "[One {o} costs|The {o} costs|The {o} is] {k} dollars. {n} pays with {a}. [How much change is there|What is the change]?",
    "{n} [earns|gets] {a} dollars and spends {k}. How much is left?", "{n} had {a} dollars and spent {k} dollars on a {o}. How many dollars does {n} have now?",
)


def money(rng: random.Random) -> Sum:
    thing = rng.choice(things())
    name = rng.choice(many_names())
    if rng.random() < 0.5:
        a = rng.choice((rng.randint(5, 100), 10, 20, 50, 100))
        k = rng.randint(1, a - 1)
        return Sum(vary(rng, rng.choice(MONEY)).format(n=name, a=a, k=k, o=thing), ((a, "-", k),), a - k, "dollars")
    count, price = rng.randint(2, 9), rng.randint(2, 15)
    asked = rng.choice((f"One {thing} costs {price} dollars. What do {count} cost?", f"{name} buys {count} {plural(thing)} at {price} dollars each. How much does {name} pay?", f"How much are {count} {plural(thing)} if one is {price} dollars?"))
    if rng.random() < 0.4:
        paid = rng.choice([note for note in (20, 50, 100, 200) if note > count * price])
        asked = f"{name} buys {count} {plural(thing)} for {price} dollars each and pays with {paid} dollars. How much change is there?"
        return Sum(asked, ((count, "×", price), (paid, "-", count * price)), paid - count * price, "dollars")
    return Sum(asked, ((count, "×", price),), count * price, "dollars")


KINDS = (events, people, groups, comparing, money)


def ask(rng: random.Random) -> list[Message]:
    """One sum in words with its steps as the thought, one in six without."""
    problem = rng.choices(KINDS, (5, 1.5, 3, 2.5, 1.5))[0](rng)
    value = f"{problem.value} {problem.unit}".strip()
    replies = [f"The answer is {value}.", f"That is {value}.", f"It is {value}."]
    if problem.steps[-1][1] == "-" and problem.unit != "metres":
        replies.append(f"{problem.value} are left." if problem.value != 1 else "1 is left.")
    reply: Message = {"role": "assistant", "content": rng.choice(replies)}
    if rng.random() < 0.84:
        reply["reasoning"] = "\n".join(line for a, sign, b in problem.steps for line in short_steps(a, sign, b))
    question = problem.question if rng.random() < 0.88 else problem.question.lower()
    return [{"role": "user", "content": question}, reply]

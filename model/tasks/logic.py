"""Simple logic: orders, who is left, all-and-no statements, if-then chains, and/or/not."""

from __future__ import annotations

import random

from tasks.checking import last_word_is, yes_no_is
from tasks.phrasing import capital, check_request, dress, join_and, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import COLOURS, NAMES

FAMILY = "logic"

KINDS_OF_THING = ("wugs", "blips", "dax", "zorks", "fips", "moks", "tovs", "lums", "gigs", "norps", "quibs", "rels")
SCALES = (  # comparative, opposite, superlative, opposite superlative
    ("taller", "shorter", "tallest", "shortest"), ("older", "younger", "oldest", "youngest"),
    ("faster", "slower", "fastest", "slowest"), ("heavier", "lighter", "heaviest", "lightest"),
    ("stronger", "weaker", "strongest", "weakest"),
)
EVENTS = (  # (statement, its opposite)
    ("it rains", "it does not rain"), ("the lamp is on", "the lamp is off"), ("the door is open", "the door is shut"),
    ("the cat sleeps", "the cat is awake"), ("the bell rings", "the bell is silent"), ("the bus is late", "the bus is on time"),
    ("the box is full", "the box is empty"), ("the soup is hot", "the soup is cold"), ("the dog barks", "the dog is quiet"),
    ("the window is clean", "the window is dirty"), ("the baby laughs", "the baby cries"), ("the grass is wet", "the grass is dry"),
)
OPPOSITES = dict(EVENTS) | {b: a for a, b in EVENTS}
PRIZES = ("the key", "the ball", "the prize", "the letter", "the cake", "the map")

FORMS = {
    "train": {
        "more": ("{a} is {r} than {b}.", "{b} is {o} than {a}.", "{a} is {r} than {b}."),
        "most": ("Who is the {s}?", "Who is {s}?", "Which of them is the {s}?", "Name the {s} one.", "Tell me who is the {s}."),
        "one_of": ("One of {l} has {p}.", "Either {m} has {p}.", "{l} play a game, and one of them has {p}."),
        "not": ("{a} does not have it.", "It is not {a}.", "{a} has nothing.", "It isn't {a}."),
        "who": ("Who has {p}?", "So who has {p}?", "Who has it?", "Can you tell who has {p}?"),
        "all": ("All {a} are {b}.", "Every one of the {a} is one of the {b}.", "Each of the {a} counts among the {b}."),
        "all_colour": ("All {a} are {c}.", "Every one of the {a} is {c}."),
        "no_colour": ("No {a} are {c}.", "None of the {a} are {c}."),
        "are": ("Are all {a} {c}?", "Are the {a} {c}?", "Must the {a} be {c}?", "Can we say that the {a} are {c}?"),
        "if": ("If {a}, then {b}.", "If {a}, {b}.", "When {a}, {b}.", "{b} if {a}."),
        "fact": ("{a}.", "We know that {a}.", "Now {a}."),
        "then": ("Is it true that {a}?", "Can we say that {a}?", "Does it follow that {a}?", "Yes or no: {a}?"),
        "true": ("Is it true that {a}?", "Yes or no: {a}?", "Is this true: {a}?", "Would it be right to say that {a}?"),
    },
    "test": {
        "more": ("Compared with {b}, {a} is {r}.",),
        "most": ("If they stand in order, who comes out as the {s}?",),
        "one_of": ("Somebody among {l} holds {p}.",),
        "not": ("We can rule out {a}.",),
        "who": ("Whose hands hold {p}?",),
        "all": ("Anything among the {a} is among the {b} too.",),
        "all_colour": ("Being one of the {a} means being {c}.",),
        "no_colour": ("Not one of the {a} is {c}.",),
        "are": ("What about the {a}: are they {c}?",),
        "if": ("Whenever {a}, {b}.",),
        "fact": ("Right now {a}.",),
        "then": ("Must it be so that {a}?",),
        "true": ("Someone claims that {a}. Is the claim right?",),
    },
}
TRAIN_FORMS = tuple(dict.fromkeys(form for forms in FORMS["train"].values() for form in forms))
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)


def _say(rng: random.Random, phrasing: str, kind: str, **fields: str) -> str:
    return capital(pick_form(rng, phrasing, FORMS["train"][kind], FORMS["test"][kind], WIDE_FORMS[FAMILY][kind]).format(**fields))


Parts = tuple[list[str], list[str], str, str, str]


def _order(rng: random.Random, difficulty: int, phrasing: str) -> Parts:
    names = rng.sample(NAMES, 2 + difficulty)
    more, less, most, least = rng.choice(SCALES)
    links = list(zip(names, names[1:]))
    rng.shuffle(links)
    text = [_say(rng, phrasing, "more", a=a, b=b, r=more, o=less) for a, b in links]
    wants_most = rng.random() < 0.5
    word = most if wants_most else least
    text.append(_say(rng, phrasing, "most", s=word))
    gold = names[0] if wants_most else names[-1]
    ordered = names if wants_most else names[::-1]
    read = " ".join(f"{a} over {b}." if wants_most else f"{b} over {a}." for a, b in links)  # nearer to what is asked comes first
    trace = [f"Facts: {read}", f"Order: {' '.join(ordered)}."]
    return text, trace, f"The {word} is {gold}.", gold, f"order:{word}:" + ",".join(f"{a}>{b}" for a, b in links)


def _left(rng: random.Random, difficulty: int, phrasing: str) -> Parts:
    names = rng.sample(NAMES, 2 + difficulty)
    gold = rng.choice(names)
    outs = [name for name in names if name != gold]
    rng.shuffle(outs)
    prize = rng.choice(PRIZES)
    fields = {"l": join_and(names), "m": ", ".join(names[:-1]) + " or " + names[-1], "p": prize}
    text = [_say(rng, phrasing, "one_of", **fields), *(_say(rng, phrasing, "not", a=name) for name in outs), _say(rng, phrasing, "who", p=prize)]
    trace, left = [f"Maybe {' '.join(names)}."], list(names)
    for name in outs:
        left.remove(name)
        trace.append(f"Not {name}: {' '.join(left)}.")
    return text, trace, f"It is {gold}.", gold, f"left:{','.join(names)}-{','.join(outs)}"


def _classes(rng: random.Random, difficulty: int, phrasing: str) -> Parts:
    chain = rng.sample(KINDS_OF_THING, 1 + difficulty)
    colour, other = rng.sample(COLOURS, 2)
    is_all = rng.random() < 0.5
    asked = chain[0]
    statements = [("all", chain[i], chain[i + 1]) for i in range(difficulty)]
    statements.append(("all_colour" if is_all else "no_colour", chain[-1], colour))
    spare = [k for k in rng.sample(KINDS_OF_THING, len(KINDS_OF_THING)) if k not in chain]
    if difficulty > 1:  # the other way round for things that are not asked about: the chain must be followed
        statements.append(("no_colour" if is_all else "all_colour", spare[0], colour))
    if difficulty > 2:
        statements.append(("all_colour", spare[1], other))
    rng.shuffle(statements)
    text = [_say(rng, phrasing, kind, a=a, b=b, c=b) for kind, a, b in statements]
    text.append(_say(rng, phrasing, "are", a=asked, c=colour))
    read = {a: f"{a} are {'not ' if kind == 'no_colour' else ''}{b}." for kind, a, b in statements}
    trace = [f"Facts: {' '.join(read.values())}", *(f"So {read[a]}" for a in chain)]
    gold = "yes" if is_all else "no"
    answer = f"Yes, the {asked} are {colour}." if is_all else f"No, the {asked} are not {colour}."
    return text, trace, answer, gold, f"classes:{asked}:{colour}:" + ",".join(f"{k[0]}{len(k)}.{a}.{b}" for k, a, b in statements)


def _rules(rng: random.Random, difficulty: int, phrasing: str) -> Parts:
    spare_length = 0 if difficulty == 1 else min(difficulty, 3)
    events = rng.sample(EVENTS, 1 + difficulty + spare_length)
    chain = [rng.choice(event) for event in events[:1 + difficulty]]
    rules = list(zip(chain, chain[1:]))
    if spare_length:  # a second chain, not set off, leads to the opposite
        other = [rng.choice(event) for event in events[1 + difficulty:]] + [OPPOSITES[chain[-1]]]
        rules += list(zip(other, other[1:]))
    rng.shuffle(rules)
    text = [_say(rng, phrasing, "if", a=a, b=b) for a, b in rules]
    text.append(_say(rng, phrasing, "fact", a=chain[0]))
    is_yes = rng.random() < 0.5
    asked = chain[-1] if is_yes else OPPOSITES[chain[-1]]
    text.append(_say(rng, phrasing, "then", a=asked))
    trace = [capital(chain[0]) + ".", *(f"So {event}." for event in chain[1:])]
    answer = f"Yes, {chain[-1]}." if is_yes else f"No, {chain[-1]}."
    return text, trace, answer, "yes" if is_yes else "no", f"rules:{asked}:{chain[0]}:" + ",".join(f"{a}>{b}" for a, b in rules)


def _booleans(rng: random.Random, difficulty: int, phrasing: str) -> Parts:
    """Facts, then a claim joined by and / or, read from the left."""
    count = min(4, 1 + difficulty)
    facts = [rng.choice(event) for event in rng.sample(EVENTS, max(2, count))]
    parts, joiner = [], rng.choice(("and", "or"))
    for fact in facts[:count]:
        is_true = rng.random() < (0.75 if joiner == "and" else 0.35)
        parts.append((fact if is_true else OPPOSITES[fact], is_true))
    rng.shuffle(parts)
    text = [_say(rng, phrasing, "fact", a=fact) for fact in facts]
    text.append(_say(rng, phrasing, "true", a=f" {joiner} ".join(part for part, _ in parts)))
    values = [value for _, value in parts]
    result = all(values) if joiner == "and" else any(values)
    trace = [f"{capital(part)}: {'true' if value else 'false'}." for part, value in parts]
    trace.append(f"{capital(f' {joiner} '.join('true' if v else 'false' for v in values))} is {'true' if result else 'false'}.")
    gold = "yes" if result else "no"
    answer = "Yes, that is true." if result else "No, that is not true."
    return text, trace, answer, gold, f"bool:{joiner}:{','.join(facts)}:{','.join(part for part, _ in parts)}"


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a logic task; 1: three names or one rule, 5: seven names or five rules."""
    check_request(difficulty, phrasing)
    build = rng.choice((_order, _left, _classes, _rules, _booleans))
    text, trace, answer, gold, key = build(rng, difficulty, phrasing)
    return Problem(FAMILY, f"logic:{key}", dress(rng, " ".join(text), phrasing), tuple(trace), answer, gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply ends with the right name, or says yes or no rightly."""
    if problem.gold in ("yes", "no"):
        return yes_no_is(reply, problem.gold)
    return last_word_is(reply, problem.gold)

"""Several hops through facts in the prompt: nested things, carried things, family, chains of people."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tasks.checking import last_word_is
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import PLACES

FAMILY = "relations"

WOMEN = tuple("Mia Anna Lily Zoe Ella Nora Ruby Ivy Rosa Lucy Maya Tina Sara Emma Jane Lena Clara Hana Mei Alice".split())
MEN = tuple("Tom Ben Sam Max Leo Jack Finn Noah Omar Hugo Adam Paul Nick Luke Kofi Amir Oscar Raj Pedro Bob".split())
SMALL = ("key", "ring", "coin", "letter", "pearl", "stamp", "button", "ticket", "map", "shell", "photo", "marble")
HOLDERS = ("box", "bag", "drawer", "basket", "chest", "jar", "case", "bucket", "sack", "tin", "purse", "cupboard")
LINKS = ("friend", "teacher", "neighbour", "doctor", "cousin", "coach", "boss", "partner")
# (relation asked, first hop from the child, second hop, the last person is a woman)
KIN = (
    ("grandmother", "mother", "mother", True), ("grandmother", "father", "mother", True), ("grandfather", "mother", "father", False),
    ("grandfather", "father", "father", False), ("aunt", "mother", "sister", True), ("aunt", "father", "sister", True),
    ("uncle", "mother", "brother", False), ("uncle", "father", "brother", False), ("uncle", "aunt", "husband", False),
    ("aunt", "uncle", "wife", True),
)

FORMS = {
    "train": {
        "in": ("The {a} is in the {b}.", "The {a} lies in the {b}.", "You can find the {a} in the {b}.", "Someone put the {a} in the {b}."),
        "where": ("Where is the {a}?", "In which room is the {a}?", "Where can I find the {a}?", "What place is the {a} in?", "In what place is the {a}?"),
        "goes": ("{n} goes to the {b}.", "{n} walks to the {b}.", "{n} runs to the {b}.", "{n} moves to the {b}."),
        "takes": ("{n} takes the {a}.", "{n} picks up the {a}.", "{n} gets the {a}."),
        "drops": ("{n} drops the {a}.", "{n} puts down the {a}.", "{n} leaves the {a} there."),
        "is": ("{b} is {a}'s {r}.", "{a}'s {r} is {b}.", "The {r} of {a} is {b}."),
        "who": ("Who is {q}?", "Who is {q}, then?", "Tell me who {q} is.", "Can you say who {q} is?", "Find {q}.", "What is the name of {q}?"),
    },
    "test": {
        "in": ("Inside the {b} there is the {a}.", "The {b} holds the {a}."),
        "where": ("Somebody looks for the {a}. To which place should they go?",),
        "goes": ("Now {n} travels to the {b}.",),
        "takes": ("{n} grabs the {a}.",),
        "drops": ("{n} lets go of the {a}.",),
        "is": ("As {r}, {a} has {b}.",),
        "who": ("Give the name of the person who is {q}.",),
    },
}
TRAIN_FORMS = tuple(form for forms in FORMS["train"].values() for form in forms)
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)


def _say(rng: random.Random, phrasing: str, kind: str, **fields: str) -> str:
    return pick_form(rng, phrasing, FORMS["train"][kind], FORMS["test"][kind], WIDE_FORMS[FAMILY][kind]).format(**fields)


def _read_out(facts: Iterable[tuple[str, str, str]]) -> str:
    """A thought's first line: the facts in the order they come, in one plain form; the steps repeat parts of it."""
    return "Facts: " + " ".join(f"{a} {link} {b}." for a, link, b in facts)


def _nested(rng: random.Random, difficulty: int, phrasing: str) -> tuple[list[str], list[str], str, str, str]:
    """A thing in a holder in a holder ... in a place, with a second such chain to mislead."""
    hops = {1: 2, 2: 2, 3: 3, 4: 4, 5: 5}[difficulty]
    things, holders, places = rng.sample(SMALL, 2), rng.sample(HOLDERS, 2 * (hops - 1)), rng.sample(PLACES, 2)
    chain = [things[0], *holders[:hops - 1], places[0]]
    other = [things[1], *holders[hops - 1:], places[1]] if difficulty > 1 else []
    facts = [*zip(chain, chain[1:]), *zip(other, other[1:])]
    rng.shuffle(facts)
    text = [_say(rng, phrasing, "in", a=a, b=b) for a, b in facts]
    trace = [_read_out((a, "in", b) for a, b in facts), *(f"So {a} in {b}." for a, b in zip(chain, chain[1:]))]
    text.append(_say(rng, phrasing, "where", a=things[0]))
    return text, trace, f"The {things[0]} is in the {places[0]}.", places[0], f"nested:{things[0]}:" + ",".join(f"{a}<{b}" for a, b in facts)


def _carried(rng: random.Random, difficulty: int, phrasing: str) -> tuple[list[str], list[str], str, str, str]:
    """People walk, take and drop a thing; the thought follows each line that matters."""
    name, other = rng.sample(WOMEN + MEN, 2)
    thing = rng.choice(SMALL)
    places = rng.sample(PLACES, 4)
    start = places[0]
    text = [_say(rng, phrasing, "goes", n=name, b=start), _say(rng, phrasing, "takes", n=name, a=thing)]
    trace = [f"{name} takes the {thing} in the {start}."]
    key, at, other_at, is_held = f"{thing}:{start}", start, "", True
    for step in range(difficulty + 1):
        draw = rng.random()
        if draw < 0.3 and difficulty > 1:
            other_at = rng.choice([p for p in places if p != other_at])
            text.append(_say(rng, phrasing, "goes", n=other, b=other_at))
            key += f";{other}>{other_at}"
        elif draw < 0.5 and is_held and step:
            is_held = False
            text.append(_say(rng, phrasing, "drops", n=name, a=thing))
            trace.append(f"{name} drops it in the {at}.")
            start, key = at, key + ";drop"
        else:
            at = rng.choice([p for p in places if p != at])
            text.append(_say(rng, phrasing, "goes", n=name, b=at))
            if is_held:
                start = at
                trace.append(f"Now it is in the {at}.")
            else:
                trace.append(f"{name} goes without it, so it stays in the {start}.")
            key += f";{name}>{at}"
    text.append(_say(rng, phrasing, "where", a=thing))
    return text, trace, f"The {thing} is in the {start}.", start, f"carried:{key}"


def _kin(rng: random.Random, difficulty: int, phrasing: str) -> tuple[list[str], list[str], str, str, str]:
    """Family in one or two hops, with other families to mislead from difficulty 2 on."""
    asked, first, second, is_woman = rng.choice(KIN)
    women, men = rng.sample(WOMEN, len(WOMEN)), rng.sample(MEN, len(MEN))
    child = (women if rng.random() < 0.5 else men).pop()
    parent = (women if first in ("mother", "aunt") else men).pop()
    last = (women if is_woman else men).pop()
    facts = [(child, first, parent), (parent, second, last)]
    for _ in range(min(difficulty - 1, 3)):
        o_asked, o_first, o_second, o_woman = rng.choice(KIN)
        a = (women if rng.random() < 0.5 else men).pop()
        b = (women if o_first in ("mother", "aunt") else men).pop()
        facts.append((a, o_first, b))
        if difficulty > 3 and len(facts) < 6:
            facts.append((b, o_second, (women if o_woman else men).pop()))
    rng.shuffle(facts)
    text = [_say(rng, phrasing, "is", a=a, r=r, b=b) for a, r, b in facts]
    text.append(_say(rng, phrasing, "who", q=f"{child}'s {asked}"))
    trace = [_read_out(facts), f"So {child} {first} {parent}.", f"So {parent} {second} {last}."]
    key = f"kin:{child}:{asked}:" + ",".join(f"{a}.{r}={b}" for a, r, b in facts)
    return text, trace, f"{child}'s {asked} is {last}.", last, key


def _linked(rng: random.Random, difficulty: int, phrasing: str) -> tuple[list[str], list[str], str, str, str]:
    """"The neighbour of the teacher of Ben": as many hops as the difficulty plus one, at most four."""
    hops = min(4, max(2, difficulty))
    people = rng.sample(WOMEN + MEN, hops + 1 + 2 * min(difficulty, 3))
    links = rng.sample(LINKS, hops)
    facts = list(zip(people, links, people[1:]))
    spare = people[hops + 1:]
    for a, b in zip(spare[::2], spare[1::2]):
        facts.append((a, rng.choice(LINKS), b))
    rng.shuffle(facts)
    text = [_say(rng, phrasing, "is", a=a, r=r, b=b) for a, r, b in facts]
    asked = "".join(f"the {link} of " for link in reversed(links)) + people[0]
    text.append(_say(rng, phrasing, "who", q=asked))
    trace = [_read_out(facts), *(f"So {a} {r} {b}." for a, r, b in zip(people, links, people[1:]))]
    key = f"linked:{people[0]}.{'.'.join(links)}:" + ",".join(f"{a}.{r}={b}" for a, r, b in facts)
    return text, trace, f"That is {people[hops]}.", people[hops], key


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make facts to chain; 1: two hops and no others, 5: four or five hops among other facts."""
    check_request(difficulty, phrasing)
    build = rng.choice((_nested, _carried, _kin, _linked))
    text, trace, answer, gold, key = build(rng, difficulty, phrasing)
    return Problem(FAMILY, f"rel:{key}", dress(rng, " ".join(text), phrasing), tuple(trace), answer, gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply ends with the right place or name."""
    return last_word_is(reply, problem.gold)

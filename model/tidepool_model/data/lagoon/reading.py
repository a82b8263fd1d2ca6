"""Short texts about people, things and places with a question on them: copying what was never seen before.

Not a family and not measured: what it trains is looking back. The thought quotes the sentence that answers.
"""

from __future__ import annotations

import random

from tasks.phrasing import vary

from ..chats.conversation import Message
from .vocabulary import animals, many_names, places, things

COLOURS = "red blue green yellow white black pink brown grey purple orange silver golden".split()
JOBS = "baker nurse teacher farmer pilot painter singer cook driver doctor sailor writer dentist gardener plumber builder judge tailor".split()
CITIES = "Paris London Rome Berlin Madrid Oslo Lima Cairo Tokyo Boston Nairobi Delhi Quito Vienna Lisbon Dublin Seoul Prague Havana Athens Riga Accra Tunis Hanoi".split()
FOODS = "soup rice bread cheese noodles beans salad pancakes stew curry porridge dumplings pie toast yoghurt lentils".split()

# what is said of {n} and {v}; questions for v; questions for n; the answer for v
Relation = tuple[str, tuple[str, ...], tuple[str, ...], str]
SINGLE: dict[str, Relation] = {
    "job": ("{n} [is a|works as a] {v}.", ("What is {n}'s job?", "What does {n} do for a living?", "What [work|job] does {n} have?"), ("Who is [the|a] {v}?", "Which of them is a {v}?"), "{n} is a {v}."),
    "city": ("{n} [lives in|comes from|moved to] {v}.", ("Where does {n} live?", "Which city [belongs to|goes with] {n}?", "In which city is {n}?"), ("Who [is in|lives in] {v}?", "[Which person|Who] belongs to {v}?"), "{n} lives in {v}."),
    "food": ("{n} [eats|likes|ordered|cooks|wants] {v}.", ("What does {n} [eat|like|have]?", "Which food is {n}'s?"), ("Who [has|likes|gets] the {v}?", "Who [eats|ordered] {v}?"), "{n} has {v}."),
    "colour": ("{n}'s [coat|bag|car|door|hat|bicycle] is {v}.", ("What colour is {n}'s?", "Which colour does {n} have?", "What colour belongs to {n}?"), ("Whose is {v}?", "Who has the {v} one?"), "{n}'s is {v}."),
    "pet": ("{n} [has|keeps|owns|feeds] a {v}.", ("Which animal does {n} have?", "What [pet|animal] belongs to {n}?", "What animal is {n}'s?"), ("Who has the {v}?", "Whose [pet|animal] is the {v}?"), "{n} has a {v}."),
    "thing": ("{n} [has|holds|carries|bought|found|wants] [a|the] {v}.", ("What does {n} have?", "[Which thing|What] belongs to {n}?", "What is with {n}?"), ("Who has the {v}?", "Who [holds|carries|owns] the {v}?", "With whom is the {v}?"), "{n} has the {v}."),
    "age": ("{n} is {v} years old.", ("How old is {n}?", "What is {n}'s age?", "[Tell me|Say] the age of {n}."), ("Who is {v}?", "Which of them is {v} years old?"), "{n} is {v} years old."),
}
KEEPS = ("keeps", "puts", "hides", "leaves", "has put", "stores", "left")
WHERE = ("Where is the {t}?", "Where does {n} keep the {t}?", "In [which|what] [place|room] is the {t}?", "Where [can|could|do] I find the {t}?", "[Tell me where|Say where] the {t} is.", "Where should I look for the {t}?")
WHAT = ("What is in the {p}?", "What does {n} keep in the {p}?", "Which thing is in the {p}?", "What will I find in the {p}?")
POOLS = {"job": JOBS, "city": CITIES, "food": FOODS, "colour": COLOURS}
FILLERS = (
    "It was a long day.", "The weather was fine.", "They had known each other for years.", "Nobody was in a hurry.", "It had rained all night.",
    "A bus went by outside.", "Dinner was at seven.", "The clock had stopped.", "There was music next door.", "It was nearly winter.",
)
OPENERS = ("", "", "", "", "Listen. ", "Here is what I know. ", "Read this: ", "OK, ", "Quick question. ", "Remember this. ", "Some facts. ")


def _pool(kind: str) -> list[str]:
    if kind in POOLS:
        return POOLS[kind]
    if kind == "pet":
        return list(animals())
    return list(things()) if kind == "thing" else [str(age) for age in range(3, 99)]


def _finish(rng: random.Random, sentences: list[str], asked: str, quoted: str, answer: str, thinking: bool) -> list[Message]:
    if rng.random() < 0.35:
        sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(FILLERS))
    text = " ".join(sentences)
    question = f"{rng.choice(OPENERS)}{text} {asked}" if rng.random() < 0.85 else f"{asked} {text}"
    reply: Message = {"role": "assistant", "content": answer}
    if thinking:
        reply["reasoning"] = f"It says: {quoted}"
    return [{"role": "user", "content": question if rng.random() < 0.9 else question.lower()}, reply]


def people(rng: random.Random, thinking: bool) -> list[Message]:
    """Two to six people with one kind of thing each; one is asked for, either way round."""
    kind = rng.choice(list(SINGLE))
    said, asks, whos, answer = SINGLE[kind]
    count = rng.randint(2, 6)
    names = rng.sample(many_names(), count)
    values = rng.sample(_pool(kind), count)
    sentences = [vary(rng, said).format(n=n, v=v) for n, v in zip(names, values)]
    at = rng.randrange(count)
    fields = {"n": names[at], "v": values[at]}
    backwards = rng.random() < 0.45
    asked = vary(rng, rng.choice(whos if backwards else asks)).format(**fields)
    quoted = sentences[at]
    reply = rng.choice((f"It is {names[at]}.", f"{names[at]}.", f"That is {names[at]}.")) if backwards else answer.format(**fields)
    return _finish(rng, sentences, asked, quoted, reply, thinking)


def hidden(rng: random.Random, thinking: bool) -> list[Message]:
    """Who keeps what where, several things a person; asked for the place or the thing."""
    names = rng.sample(many_names(), rng.choice((1, 1, 2, 3)))
    sentences, facts = [], []
    pool, spots = rng.sample(things(), 8), rng.sample(places(), 8)
    for name in names:
        owner = rng.choice(("his", "her", "the", "a"))
        pairs = [(pool.pop(), spots.pop()) for _ in range(rng.choice((1, 2, 2, 3)) if len(names) < 3 else 1)]
        facts += [(name, *pair) for pair in pairs]
        parts = [f"{owner} {thing} in the {place}" for thing, place in pairs]
        listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        sentences.append(f"{name} {rng.choice(KEEPS)} {listed}.")
    name, thing, place = rng.choice(facts)
    if rng.random() < 0.65:
        asked = vary(rng, rng.choice(WHERE)).format(t=thing, n=name)
        reply = rng.choice((f"The {thing} is in the {place}.", f"It is in the {place}.", f"In the {place}."))
    else:
        asked = vary(rng, rng.choice(WHAT)).format(p=place, n=name)
        reply = rng.choice((f"The {thing} is in the {place}.", f"There is the {thing}.", f"The {thing}."))
    return _finish(rng, sentences, asked, f"the {thing} in the {place}.", reply, thinking)


def moved(rng: random.Random, thinking: bool) -> list[Message]:
    """A thing is carried from place to place; asked for where it is now, or was first."""
    name, other = rng.sample(many_names(), 2)
    thing = rng.choice(things())
    spots = rng.sample(places(), rng.randint(2, 4))
    sentences = [f"{name} {rng.choice(('puts', 'leaves', 'has'))} the {thing} in the {spots[0]}."]
    for spot in spots[1:]:
        sentences.append(vary(rng, rng.choice(("[Then|Later|After that] {o} [takes|carries|moves|brings] it to the {p}.", "{o} [takes|carries|moves] the {t} to the {p}."))).format(o=rng.choice((name, other)), t=thing, p=spot))
    if rng.random() < 0.8:
        asked, place = vary(rng, rng.choice(("Where is the {t} now?", "Where is the {t}[ in the end|]?", "[In which place|Where] does the {t} end up?", "Where do I find the {t}?"))).format(t=thing), spots[-1]
        quoted, reply = f"first the {spots[0]}, last the {place}.", f"The {thing} is in the {place}."
    else:
        asked, place = f"Where was the {thing} at first?", spots[0]
        quoted, reply = f"first the {place}.", f"At first the {thing} was in the {place}."
    return _finish(rng, sentences, asked, quoted, reply, thinking)


def said_of_me(rng: random.Random, thinking: bool) -> list[Message]:
    """The user says something of themselves and asks for it."""
    name = rng.choice(many_names())
    kin = rng.choice("brother sister mother father aunt uncle cousin friend neighbour teacher dog cat horse rabbit parrot".split())
    said, asked, reply, quoted = rng.choice((
        (f"My {kin} is called {name}.", f"What is my {kin} called?", f"Your {kin} is called {name}.", f"my {kin} is called {name}."),
        (f"I have a {kin} named {name}.", f"What is the name of my {kin}?", f"Your {kin}'s name is {name}.", f"a {kin} named {name}."),
        (f"My name is {name}.", "What is my name?", f"Your name is {name}.", f"the name is {name}."),
        (f"I am {name}.", "Who am I?", f"You are {name}.", f"the user is {name}."),
        (f"Say this name: {name}", "", f"{name}", f"{name}."),
        (f"Repeat after me: {name}", "", f"{name}", f"{name}."),
    ))
    return _finish(rng, [said], asked, quoted, reply, thinking) if asked else [
        {"role": "user", "content": said}, {"role": "assistant", "content": reply} | ({"reasoning": f"It says: {quoted}"} if thinking else {})]


def read_and_ask(rng: random.Random) -> list[Message]:
    """One short text with its question, three quarters with a thought."""
    thinking = rng.random() < 0.75
    return rng.choices((people, hidden, moved, said_of_me), (5, 4, 2, 1))[0](rng, thinking)

"""What everybody knows, said shortly: opposites, plurals, past tenses, capitals, what comes next, small facts, tables of sums.

Words come from the corpora's function-vector tasks, questions from ARC's and OpenBookQA's training rows (their answers as a
sentence of the answer alone) and from the checked facts of `chats/facts.py`. The base model knows most of it; what is taught
is to say it in one sentence. Several are asked at once in a third of the documents, so that most trained tokens are answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tasks.phrasing import vary

from ..chats import facts
from ..chats.conversation import Message
from .rows import read_rows

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
SEASONS = "spring summer autumn winter".split()

# name of the task in the corpora: ways to ask for {x}; how {y} is said
WORD_TASKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "antonym": (("What is the opposite of {x}?", "[Give|Tell] me the opposite of {x}.", "The opposite of {x}?", "What word means the opposite of {x}?"), ("The opposite of {x} is {y}.",)),
    "synonym": (("What is another word for {x}?", "[Give|Tell] me a word like {x}.", "Which word means the same as {x}?"), ("Another word for {x} is {y}.",)),
    "country-capital": (("What is the capital of {x}?", "Which city is the capital of {x}?", "Capital of {x}?", "[Tell me|Name|What's] the capital of {x}."), ("The capital of {x} is {y}.", "{y} is the capital of {x}.")),
    "country-currency": (("What money do they use in {x}?", "What is the currency of {x}?"), ("The currency of {x} is {y}.",)),
    "landmark-country": (("In which country is {x}?", "Where is {x}?"), ("{x} is in {y}.",)),
    "present-past": (("What is the past tense of {x}?", "Past tense of {x}?", "Today I {x}. What do I say for yesterday?", "[Put|Write] {x} in the past."), ("The past tense of {x} is {y}.",)),
    "singular-plural": (("What is the plural of {x}?", "One {x}, two what?", "Plural of {x}?", "[Give|Tell] me the plural of {x}."), ("The plural of {x} is {y}.",)),
    "next_item": (("What comes after {x}?", "What comes next after {x}?", "What follows {x}?"), ("After {x} comes {y}.",)),
    "prev_item": (("What comes before {x}?", "What is right before {x}?"), ("Before {x} comes {y}.",)),
}
SHARE = {"antonym": 4, "synonym": 2, "country-capital": 4, "country-currency": 0.5, "landmark-country": 1, "present-past": 2, "singular-plural": 2, "next_item": 1, "prev_item": 1}
KINDS_OF = {
    "fruit": "apple banana orange pear grape plum peach cherry mango lemon kiwi melon strawberry pineapple apricot fig".split(),
    "vegetable": "carrot onion potato tomato pepper cabbage bean pea leek spinach cucumber pumpkin radish turnip".split(),
    "animal": "dog cat horse cow sheep lion tiger elephant fox wolf bear rabbit mouse goat".split(),
    "animal that can fly": "eagle sparrow bat butterfly bee owl swan parrot crow goose".split(),
    "animal that can swim": "fish dolphin whale shark duck seal otter penguin turtle frog".split(),
    "bird": "eagle owl sparrow robin crow duck swan parrot penguin pigeon".split(), "insect": "ant bee fly wasp beetle butterfly moth mosquito cricket".split(),
    "colour": "red blue green yellow orange purple black white brown pink grey".split(), "tool": "hammer saw drill spade axe screwdriver wrench rake".split(),
    "country": "France Spain Italy Japan Brazil Kenya India Canada Egypt Norway Peru Mexico".split(), "planet": "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split(),
    "drink": "water milk tea coffee juice lemonade cocoa".split(), "month": MONTHS, "day of the week": DAYS, "season": SEASONS,
    "piece of furniture": "table chair bed shelf desk sofa cupboard stool".split(), "sport": "football tennis swimming basketball hockey running cycling chess".split(),
    "instrument": "piano guitar violin drum flute trumpet harp cello".split(), "thing you can wear": "hat coat shirt sock shoe scarf glove jacket".split(),
    "river": "Nile Amazon Danube Rhine Thames Ganges Congo Volga".split(), "vehicle": "car bus train bicycle boat plane truck tram".split(),
}  # fmt: skip
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
YOUNG = dict(zip("dog cow sheep horse goat duck hen lion bear pig frog swan kangaroo goose deer".split(), "puppy calf lamb foal kid duckling chick cub cub piglet tadpole cygnet joey gosling fawn".split(), strict=True))
SOUNDS = dict(zip("dog cow sheep horse duck lion pig frog bee snake owl rooster wolf".split(), "barks moos bleats neighs quacks roars grunts croaks buzzes hisses hoots crows howls".split(), strict=True))
LEGS = {"cat": 4, "horse": 4, "cow": 4, "spider": 8, "bird": 2, "ant": 6, "chicken": 2, "snake": 0, "bee": 6, "table": 4, "fly": 6, "sheep": 4, "human": 2, "elephant": 4, "beetle": 6}
COUNTS = (
    ("a week", "days", 7), ("a year", "weeks", 52), ("an hour", "minutes", 60), ("a minute", "seconds", 60), ("a century", "years", 100), ("a decade", "years", 10), ("a dozen", "things", 12),
    ("a triangle", "sides", 3), ("a square", "corners", 4), ("a metre", "centimetres", 100), ("a kilometre", "metres", 1000), ("a kilogram", "grams", 1000), ("the alphabet", "letters", 26),
    ("a football team", "players", 11), ("a hand", "fingers", 5), ("a car", "wheels", 4), ("a leap year", "days", 366), ("a normal year", "days", 365), ("a cube", "faces", 6), ("a right angle", "degrees", 90),
)
RHYMES = "hat bat mat|dog fog log|tree bee sea|light night right|house mouse|day play way|ball tall wall|star car far|moon soon spoon|rain train plain|blue shoe true|cake lake snake|king ring sing|boat goat coat|bed red head|sun run fun|book look cook|rose nose toes|bear hair chair|fish dish wish".split("|")
USES = (
    ("cut bread", "a knife"), ("write", "a pen"), ("dig a hole", "a spade"), ("see in the dark", "a torch"), ("open a lock", "a key"), ("eat soup", "a spoon"), ("comb your hair", "a comb"),
    ("sweep the floor", "a broom"), ("tell the time", "a clock"), ("stay dry in the rain", "an umbrella"), ("hit a nail", "a hammer"), ("sew", "a needle"), ("measure a line", "a ruler"), ("boil water", "a kettle"), ("take a photo", "a camera"),
    ("cut wood", "a saw"), ("paint a wall", "a brush"), ("weigh flour", "scales"), ("look at stars", "a telescope"), ("cut hair", "scissors"),
)  # fmt: skip


# What the visitors' questions ask (tests/fixtures/eval/visitors.json) is left out in every wording, not in theirs alone.
ASKED_BY_VISITORS = frozenset((
    ("country-capital", "France"), ("country-capital", "Japan"), ("country-capital", "Italy"), ("antonym", "hot"), ("antonym", "early"), ("antonym", "cold"),
    ("singular-plural", "mouse"), ("present-past", "go"), ("after", "Tuesday"), ("before", "Sunday"), ("after", "Saturday"), ("before", "Wednesday"),
))  # fmt: skip
FACTS_ASKED_BY_VISITORS = re.compile(r"twelve months|24 hours|sky is blue|honey|\bice\b|Earth|scissors|four legs|Hamlet|oxygen|kitten|Paris|Tokyo|Rome", re.I)


class Knowledge:
    """Questions with short answers, drawn without end."""

    def __init__(self, corpora: Path, rng: random.Random) -> None:
        self.rng = rng
        self.words: dict[str, list[tuple[str, str]]] = {task: [] for task in WORD_TASKS}
        for row in read_rows(corpora / "function_vectors_tasks/tasks.jsonl"):
            if row["task"] in self.words and str(row["input"])[:1].isalpha() and (row["task"], row["input"]) not in ASKED_BY_VISITORS:
                self.words[row["task"]].append((str(row["input"]), str(row["output"]).split(" (")[0]))
        self.facts = [pair for pair in facts.FACTS if not FACTS_ASKED_BY_VISITORS.search(pair[1])]
        self.science = [
            (row["question"].strip(), row["answer"].strip())
            for name in ("arc_easy_train", "openbookqa_train")
            for row in read_rows(corpora / f"arc_openbookqa/{name}.jsonl")
            if row["question"].strip().endswith("?") and len(row["question"]) < 150 and not any(word in row["question"].lower() for word in ("which of", "following", "these"))
        ]
        makers: tuple[tuple[float, Callable[[], tuple[str, str]]], ...] = (
            (4, self.word), (1.5, self.order), (1.2, self.listing), (0.8, self.young), (0.8, self.count), (0.8, self.rhyme), (0.6, self.use), (1.2, self.fact), (1.2, self.question),
        )  # fmt: skip
        self.weights, self.makers = zip(*makers, strict=True)

    def word(self) -> tuple[str, str]:
        task = self.rng.choices(list(SHARE), list(SHARE.values()))[0]
        x, y = self.rng.choice(self.words[task])
        asks, says = WORD_TASKS[task]
        shown = f'"{x}"' if self.rng.random() < 0.15 and task not in ("country-capital", "country-currency", "landmark-country") else x
        if self.rng.random() < 0.2 and "tense" in asks[0] or "plural" in asks[0] and self.rng.random() < 0.2:
            shown = f"the word {x}"
        return vary(self.rng, self.rng.choice(asks)).format(x=shown), self.rng.choice(says).format(x=x, y=y)

    def order(self) -> tuple[str, str]:
        items, noun = self.rng.choice(((DAYS, "day"), (DAYS, "day"), (MONTHS, "month"), (LETTERS, "letter"), (SEASONS, "season")))
        at = self.rng.randrange(len(items))
        x = items[at]
        if ("after", x) in ASKED_BY_VISITORS or ("before", x) in ASKED_BY_VISITORS:
            return self.order()
        if self.rng.random() < 0.5 and (noun != "letter" or at + 1 < len(items)):
            y = items[(at + 1) % len(items)]
            asked = self.rng.choice(("Which {k} comes after {x}?", "What {k} comes [right |]after {x}?", "What is the {k} after {x}?", "After {x}, which {k} is next?", "Which {k} follows {x}?"))
            return vary(self.rng, asked).format(k=noun, x=x), f"After {x} comes {y}."
        if noun == "letter" and at == 0:
            return "What is the first letter of the alphabet?", "The first letter of the alphabet is A."
        y = items[at - 1]
        asked = self.rng.choice(("Which {k} comes before {x}?", "What {k} is before {x}?", "What is the {k} before {x}?", "Which {k} is right before {x}?"))
        return asked.format(k=noun, x=x), f"Before {x} comes {y}."

    def listing(self) -> tuple[str, str]:
        kind = self.rng.choice(list(KINDS_OF))
        count = self.rng.choice((1, 2, 3, 3, 4, 5))
        found = self.rng.sample(KINDS_OF[kind], min(count, len(KINDS_OF[kind])))
        if len(found) == 1:
            return self.rng.choice((f"Name one {kind}.", f"Give me one {kind}.", f"Tell me a {kind}.")), f"{found[0][0].upper()}{found[0][1:]}."
        head, _, tail = kind.partition(" that")
        many = kind.replace("day of", "days of").replace("piece of", "pieces of").replace("thing you", "things you") if " of " in kind or "thing you" in kind else (head[:-1] + "ies" if head.endswith("y") else head + "s") + (" that" + tail if tail else "")
        number = self.rng.choice((NUMBERS[len(found)], str(len(found))))
        asked = self.rng.choice(("Name {n} {m}.", "Give me {n} {m}.", "List {n} {m}.", "[Tell me|Say|Can you name|I need] {n} {m}.", "What are {n} {m}?"))
        listed = ", ".join(found[:-1]) + " and " + found[-1]
        return vary(self.rng, asked).format(n=number, m=many), f"{listed[0].upper()}{listed[1:]}."

    def young(self) -> tuple[str, str]:
        if self.rng.random() < 0.5:
            x, y = self.rng.choice(list(YOUNG.items()))
            return self.rng.choice((f"What do you call a young {x}?", f"What is a baby {x} called?", f"The young of a {x} is called what?")), f"A young {x} is called a {y}."
        x, y = self.rng.choice(list(SOUNDS.items()))
        return self.rng.choice((f"What does a {x} do when it makes a sound?", f"What sound does a {x} make?")), f"A {x} {y}."

    def count(self) -> tuple[str, str]:
        if self.rng.random() < 0.4:
            x, count = self.rng.choice(list(LEGS.items()))
            article = "an" if x[0] in "aeio" else "a"
            return self.rng.choice((f"How many legs does {article} {x} have?", f"How many legs has {article} {x}?")), f"{article.capitalize()} {x} has {count or 'no'} legs."
        x, parts, count = self.rng.choice(COUNTS)
        return self.rng.choice((f"How many {parts} does {x} have?", f"How many {parts} are in {x}?", f"How many {parts} are there in {x}?")), f"{x[0].upper()}{x[1:]} has {count} {parts}."

    def rhyme(self) -> tuple[str, str]:
        first, second = self.rng.sample(self.rng.choice(RHYMES).split(), 2)
        asked = self.rng.choice((f"What rhymes with {first}?", f"Which word rhymes with {first}?", f"Give me a word that rhymes with {first}.", f"I need a rhyme for {first}.", f"A rhyme for {first}, please."))
        return asked, f"{second.capitalize()} rhymes with {first}."

    def use(self) -> tuple[str, str]:
        what, tool = self.rng.choice(USES)
        return self.rng.choice((f"What do you use to {what}?", f"What do I need to {what}?", f"With what do you {what}?")), f"You use {tool} to {what}."

    def fact(self) -> tuple[str, str]:
        asks, answer = self.rng.choice(self.facts)
        return vary(self.rng, self.rng.choice(asks)), answer

    def question(self) -> tuple[str, str]:
        asked, answer = self.rng.choice(self.science)
        return asked, f"{answer[0].upper()}{answer[1:].rstrip('.')}."

    def one(self) -> tuple[str, str]:
        return self.rng.choices(self.makers, self.weights)[0]()

    def messages(self) -> Iterator[list[Message]]:
        """Chats of one to four such questions; half of the last replies have a thought that says the answer shortly."""
        while True:
            chat: list[Message] = []
            for _ in range(self.rng.choice((1, 1, 2, 3, 4))):
                asked, answer = self.one()
                chat += [{"role": "user", "content": scruffy(self.rng, asked)}, {"role": "assistant", "content": answer}]
            if self.rng.random() < 0.6:
                chat[-1]["reasoning"] = self.rng.choice((answer, answer, "I know this."))
            yield chat


def scruffy(rng: random.Random, asked: str) -> str:
    """Now and then as people type."""
    roll = rng.random()
    return asked.lower() if roll < 0.12 else asked.rstrip("?.") if roll < 0.2 else asked


def table(rng: random.Random) -> list[Message]:
    """Six to twelve small sums at once: digits added, taken away, multiplied; most of what is trained is a result."""
    sign = rng.choice(("+", "+", "-", "×", "×", "÷"))
    sums, lines = [], []
    for _ in range(rng.randint(6, 12)):
        a, b = rng.randint(0, 12), rng.randint(0 if sign != "÷" else 1, 12)
        if sign == "-":
            a, b = a + b, b
        if sign == "÷":
            a = a * b
        value = {"+": a + b, "-": a - b, "×": a * b, "÷": a // b if b else 0}[sign]
        sums.append(f"{a} {rng.choice(('x', '*', '×')) if sign == '×' else '/' if sign == '÷' and rng.random() < 0.3 else sign} {b}")
        lines.append(f"{a} {sign} {b} = {value}.")
    asked = rng.choice(("Work these out: {l}.", "Do these sums: {l}.", "{l}", "What are {l}?", "Quick sums: {l}.")).format(l=", ".join(sums))
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": " ".join(lines)}]


def letters(rng: random.Random, words: Sequence[str]) -> list[Message]:
    """Three to six words: spelled, counted, or their first and last letters."""
    chosen = rng.sample(list(words), rng.randint(3, 6))
    listed = ", ".join(chosen)
    kind = rng.randrange(4)
    if kind == 0:
        return [{"role": "user", "content": rng.choice((f"Spell these words: {listed}.", f"Letters of {listed}, please."))}, {"role": "assistant", "content": " ".join(f"{word}: {' '.join(word)}." for word in chosen)}]
    if kind == 1:
        lines = [f"{word}: {' '.join(f'{letter} {at}.' for at, letter in enumerate(word, 1))} {len(word)}." for word in chosen]
        return [{"role": "user", "content": f"How many letters do these words have: {listed}?"}, {"role": "assistant", "content": "\n".join(lines)}]
    if kind == 2:
        return [{"role": "user", "content": f"Say the first and the last letter of each: {listed}."}, {"role": "assistant", "content": " ".join(f"{word}: {' '.join(word)}, first {word[0]}, last {word[-1]}." for word in chosen)}]
    chosen = chosen[:3]
    return [{"role": "user", "content": f"Spell these backwards: {', '.join(chosen)}."}, {"role": "assistant", "content": "\n".join(f"{word}: {' '.join(word)}. Back: {' '.join(reversed(word))}." for word in chosen)}]

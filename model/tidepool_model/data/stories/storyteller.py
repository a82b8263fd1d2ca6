"""The story generator: casts a scene, tells a plot, and writes a request that the story answers.

Owns the template language and the bookkeeping of who has been introduced. Words are in
``story_words``, openings, closings and requests in ``story_frames``, plots in ``story_plots``
and ``story_quest``.

Template language:

- ``[one|two|three]`` picks one; may be nested, parts may be empty.
- ``{H}`` hero, ``{F}`` friend, ``{E}`` helper, ``{T}`` thing: introduced at the first mention
  ("a red fox named Pip"), known afterwards ("Pip", "the fox"). ``{Fnew}`` marks a sentence that
  is made to introduce; a sentence with a plain ``{F}`` is told only once F is known, if there
  is a choice.
- ``{he} {him} {his} {himself}`` hero, ``{fhe} ...`` friend, ``{ehe} ...`` helper,
  ``{phe} ...`` for ``{P}``, the grown-up at home ("Mom", "his father"); ``{his} {P}`` is "his mom".
- ``{slot}`` puts a word in, ``{a slot}`` puts it with a or an.
- ``+tag`` before a template sets a tag when it is told, ``?tag`` needs it, ``-tag`` forbids it.

Sentence starts are capitalised afterwards.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from . import words

Beat = tuple[str, ...] | str
"""Alternatives of which one is told, or a sentence that is always told; ``"\\n"`` ends a paragraph."""

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}]*)\}")
_TAG = re.compile(r"([+?-])(\w+) ")
_OWN_PARENT = re.compile(r"(\{his\}|my) \{P\}")
_SPEECH_VERB = r"(?:said|asked|cried|whispered|shouted|called|answered|thought|laughed|went|came)\b"
_SENTENCE_START = re.compile(r"(^|[.!?:]\s+(?=\")|[.!?][\"']?\s+|\n+)([\"']?)([a-z])")
_AFTER_SPEECH = re.compile(r"([!?.]\") ((?:He|She|It|They|The \w+) )?(?i:(" + _SPEECH_VERB + r"))")
_AN_WORDS = re.compile(r"(?:[aeio]|u(?!ni|se))", re.IGNORECASE)
_PRONOUNS = {
    "he": {"he": "he", "him": "him", "his": "his", "himself": "himself", "boy": "boy", "brother": "brother", "son": "son"},
    "she": {"he": "she", "him": "her", "his": "her", "himself": "herself", "boy": "girl", "brother": "sister", "son": "daughter"},
}
_CAST = "HFET"
# How often a side sentence stands after the opening, and at the end of a paragraph.
SIDE_AT_START = 0.55
SIDE_AT_BREAK = 0.3


def with_article(phrase: str) -> str:
    """Puts ``a`` or ``an`` before a phrase: by sound, for the words that stories use."""
    return ("an " if _AN_WORDS.match(phrase) else "a ") + phrase


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: slots of its own, beats that always come, then those of the chosen ending.

    ``slots``: name -> values, of which each story keeps one. ``ends``: happy, sad, surprising.
    """

    name: str
    middle: tuple[Beat, ...]
    ends: Mapping[str, tuple[Beat, ...]]
    slots: Mapping[str, tuple[str, ...]] = ()  # type: ignore[assignment]
    child: bool = False
    """Whether only a child can be the hero."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story and what a request for it, or a question about it, would name."""

    text: str
    title: str
    hero: str
    """The hero as a request names them: ``fox`` or ``girl``."""
    hero_name: str | None
    thing: str | None
    """None when the story does not name it; so are place and friend."""
    place: str | None
    friend: str | None
    ending: str
    """``happy``, ``sad`` or ``surprising``."""
    plot: str


@dataclass(frozen=True, slots=True)
class _Template:
    text: str
    needs: frozenset[str]
    forbids: frozenset[str]
    sets: frozenset[str]
    known: frozenset[str]
    """Members of the cast that must have been introduced before."""


@lru_cache(maxsize=None)
def _parse(raw: str) -> _Template:
    tags: dict[str, set[str]] = {"+": set(), "?": set(), "-": set()}
    text = raw
    while match := _TAG.match(text):
        tags[match[1]].add(match[2])
        text = text[match.end() :]
    slots = set(_SLOT.findall(text))
    known = frozenset(c for c in "FET" if c in slots and c + "new" not in slots)
    return _Template(text, frozenset(tags["?"]), frozenset(tags["-"]), frozenset(tags["+"]), known)


class Scene:
    """The slots of one story, who is known already, and how templates are written out."""

    def __init__(self, rng: random.Random, child: bool = False) -> None:
        self.rng = rng
        self.slots: dict[str, str] = {}
        self.known: set[str] = set()
        self.tags: set[str] = set()
        pick = rng.choice
        self._cast("", "H", child or rng.random() < 0.45)
        self._cast("f", "F", rng.random() < (0.6 if self.slots["Hkind"] == "child" else 0.25))
        while self.slots["Fnoun"] == self.slots["Hnoun"] or self.slots["Fthe"] == self.slots["Hthe"]:
            self._cast("f", "F", rng.random() < 0.4)
        helper, gender = pick(words.HELPERS).rsplit(":", 1)
        while self.slots["Fnoun"] in helper or self.slots["Hnoun"] in helper:
            helper, gender = pick(words.HELPERS).rsplit(":", 1)
        self._pronouns("e", gender)
        bare = re.sub(r"^(an?|the) ", "", helper).split(" with ")[0].split(" next ")[0]
        self.slots.update(Enew=helper, Ethe=f"the {bare}")
        thing, other = rng.sample(list(words.THINGS), 2)
        adjectives, plural = words.THINGS[thing]
        adjective = pick(adjectives.split())
        self.slots.update(
            thing=thing, things=plural, thingadj=adjective, Tnew=with_article(f"{adjective} {thing}"), Tthe=f"the {thing}",
            thing2=other, things2=words.THINGS[other][1],
        )
        place = pick(words.OUTDOORS)
        place2 = pick([p for p in words.OUTDOORS if p != place])
        self.slots.update(place=place, inplace=words.PLACES[place], place2=place2, inplace2=words.PLACES[place2])
        color, color2 = rng.sample(words.COLORS, 2)
        food, food2 = rng.sample(words.FOODS, 2)
        self.slots.update(
            food=food, food2=food2, color=color, color2=color2, time=pick(words.TIMES), weather=pick(words.WEATHER),
            n=pick(("two", "three", "four", "five", "six", "seven")), feel=pick(words.FEELINGS), feelsad=pick(words.SAD_FEELINGS),
        )
        mother = rng.random() < 0.55
        grown = pick(("mom", "mother", "grandmother", "aunt") if mother else ("dad", "father", "grandfather", "uncle"))
        self._pronouns("p", "she" if mother else "he")
        self.slots["P"] = grown

    def _pronouns(self, prefix: str, gender: str) -> None:
        self.slots.update({prefix + key: value for key, value in _PRONOUNS[gender].items()})

    def _cast(self, prefix: str, upper: str, child: bool) -> None:
        """Chooses a child or an animal and fills name, kind, adjective, home and pronouns."""
        pick = self.rng.choice
        gender = pick(("he", "she"))
        animal = "" if child else pick(list(words.ANIMALS))
        gender = words.GENDERS.get(animal, gender)
        self._pronouns(prefix, gender)
        if child:
            name = pick(words.BOYS if gender == "he" else words.GIRLS)
            noun, kind, named = self.slots[prefix + "boy"], "child", True
            home, adjective = pick(words.CHILD_HOMES), pick(words.ADJ_CHILD)
        else:
            noun = kind = animal
            adjectives, home, _ = words.ANIMALS[noun]
            adjective = pick([*adjectives.split(), "young", "curious"])
            named = self.rng.random() < 0.6
            name = pick(words.ANIMAL_NAMES_M if gender == "he" else words.ANIMAL_NAMES_F) if named else f"the {noun}"
        new = with_article(f"{adjective} {noun}") + (pick((" named ", " called ")) + name if named else "")
        self.slots.update(
            {
                upper + "the": name, upper + "noun": noun, upper + "kind": kind, upper + "adj": adjective,
                upper + "home": home, upper + "new": new, upper + "named": "yes" if named else "",
            }
        )

    def _mention(self, member: str) -> str:
        """How a member of the cast is named here: introduced, by name, or now and then by kind."""
        if member not in self.known:
            self.known.add(member)
            return self.slots[member + "new"]
        if member in "HF" and self.rng.random() < 0.12:
            return f"the {self.slots[member + 'noun']}"
        return self.slots[member + "the"]

    def slot(self, key: str) -> str:
        """The text of a slot; ``a key`` puts the article before it."""
        if key.startswith("a "):
            return with_article(self.slots[key[2:]])
        if key in _CAST or (len(key) == 4 and key[0] in _CAST and key.endswith("new")):
            return self._mention(key[0])
        if key == "P":
            grown = self.slots["P"]
            return grown.capitalize() if grown in ("mom", "dad") else f"{self.slots['his']} {grown}"
        value = self.slots[key]
        return self.write(value) if "{" in value or "[" in value else value

    def write(self, template: str) -> str:
        """Writes a template out: choices first, then slots in order."""
        rng = self.rng
        while "[" in template:
            template = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), template)
        template = _OWN_PARENT.sub(lambda m: f"{m[1]} {self.slots['P']}", template)
        return _SLOT.sub(lambda m: self.slot(m.group(1)), template)

    def tell(self, beat: Beat) -> str:
        """Chooses one alternative that fits what has been told, and writes it out."""
        if isinstance(beat, str):
            template = _parse(beat)
            if not (template.needs <= self.tags and not template.forbids & self.tags):
                return ""
        else:
            allowed = [t for t in map(_parse, beat) if t.needs <= self.tags and not t.forbids & self.tags]
            # A beat may be written for one branch only; then it falls away in the others.
            if not allowed:
                return ""
            fitting = [t for t in allowed if t.known <= self.known]
            template = self.rng.choice(fitting or allowed)
        self.tags |= template.sets
        return self.write(template.text)


def tidy(text: str) -> str:
    """Capitalises sentence starts, but not what follows speech, and removes doubled spaces."""
    text = re.sub(r" {2,}", " ", text).replace(" .", ".").replace(" ,", ",")
    text = "\n".join(line.strip() for line in text.split("\n"))
    text = _SENTENCE_START.sub(lambda m: m[1] + m[2] + m[3].upper(), text)
    return _AFTER_SPEECH.sub(lambda m: f"{m[1]} {(m[2] or '').lower()}{m[3].lower()}", text).strip()


def generate(rng: random.Random) -> Story:
    """Makes one story of about 80 to 250 tokens."""
    from . import frames as story_frames, plots as story_plots, quest as story_quest, texture as story_texture

    if rng.random() < story_quest.SHARE:
        plot = story_quest.make(rng)
    else:
        plot = rng.choice(story_plots.PLOTS)
    scene = Scene(rng, plot.child)
    scene.slots.update({name: rng.choice(values) for name, values in dict(plot.slots).items()})
    ending = rng.choice([e for e in plot.ends for _ in range(4 if e == "happy" else 2)])
    closing: Beat = story_frames.CLOSINGS[ending] if rng.random() < 0.5 else ""
    detail: Beat = story_frames.DETAILS if rng.random() < 0.55 else ""
    paragraphs: list[list[str]] = [[]]
    for index, beat in enumerate((story_frames.OPENINGS, detail, *plot.middle, "\n", *plot.ends[ending], closing)):
        if beat == "\n":
            if rng.random() < SIDE_AT_BREAK:
                paragraphs[-1].append(story_texture.side(scene))
            paragraphs.append([])
        elif told := scene.tell(beat):
            paragraphs[-1].append(told)
        if index == 1 and rng.random() < SIDE_AT_START:
            paragraphs[-1].append(story_texture.side(scene))
    joint = "\n\n" if rng.random() < 0.7 else " "
    text = story_texture.vary(tidy(joint.join(" ".join(p) for p in paragraphs if p)), rng)
    s = scene.slots
    title = tidy(scene.write(rng.choice(story_frames.TITLES)))

    def named(word: str) -> str | None:
        return word if re.search(rf"\b{word}\b", text) else None

    return Story(
        text=text, title=title, hero=s["Hnoun"], hero_name=s["Hthe"] if s["Hnamed"] else None, thing=named(s["thing"]),
        place=named(s["place"]), friend=named(s["Fnoun"]) if "F" in scene.known else None, ending=ending, plot=plot.name,
    )


def plan(story: Story, rng: random.Random) -> str:
    """A short thought before telling the story: who, what and which end."""
    who = with_article(story.hero)
    if story.hero_name and rng.random() < 0.7:
        who += f" named {story.hero_name}"
    if story.thing:
        who += f" and {with_article(story.thing)}"
    first = rng.choice(("A story about {}.", "I tell of {}.", "The story is about {}.", "The user wants a story. I take {}.")).format(who)
    return first + (f"\nThe end is {story.ending}." if rng.random() < 0.6 else "")


def question(story: Story, rng: random.Random) -> tuple[str, str]:
    """A question about a story that was told, with its answer."""
    who = f"the {story.hero}" if story.hero_name is None else story.hero_name
    options = [
        (rng.choice(("Who is the story about?", "Who was it about?", "Who is the hero of the story?", "who is it about")), f"It is about {who}."),
        (rng.choice(("How does it end?", "Does it end well?", "What kind of end was that?")), f"It has a {story.ending} end."),
    ]
    if story.hero_name:
        options.append((rng.choice((f"What is the name of the {story.hero}?", f"What was the {story.hero} called?")), f"The {story.hero} is called {story.hero_name}."))
    return rng.choice(options)


def _choose(template: str, rng: random.Random) -> str:
    while "[" in template:
        template = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), template)
    return template


def request(story: Story, rng: random.Random) -> str:
    """A request that the story answers, naming some of what is in it."""
    from . import frames as story_frames

    roll = rng.random()
    if roll < 0.08:
        return _choose(rng.choice(story_frames.OPEN_REQUESTS), rng)
    about = with_article(story.hero)
    if story.hero_name and rng.random() < 0.35:
        about += rng.choice((" named ", " called ")) + story.hero_name
        if rng.random() < 0.2:
            about = story.hero_name
    extras: list[str] = []
    if story.thing:
        extras += [f" and {with_article(story.thing)}"] * 3
    if story.friend:
        extras += [f" and {with_article(story.friend)}"] * 2
    if story.place:
        extras += [f" {words.PLACES[story.place]}"]
    if extras and rng.random() < 0.75:
        about += rng.choice(extras)
    end = ""
    if rng.random() < 0.35:
        end = _choose(rng.choice(story_frames.END_WISHES).replace("@ending", story.ending), rng)
    text = _choose(rng.choice(story_frames.REQUESTS), rng).replace("@about", about).replace("@end", end).strip()
    text = re.sub(r"\s+([.,?!])", r"\1", text).replace("..", ".").replace(".?", "?")
    if rng.random() < 0.12:
        return text.lower().rstrip(".!")
    return text[0].upper() + text[1:]

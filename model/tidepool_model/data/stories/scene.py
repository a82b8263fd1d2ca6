"""One story's scene: who and what it is about, who has been introduced, and how templates are told in it."""

from __future__ import annotations

import random
import re

from . import words
from .template import SLOT, Beat, choose, parse, with_article

_OWN_PARENT = re.compile(r"(\{his\}|my) \{P\}")
_PRONOUNS = {
    "he": {"he": "he", "him": "him", "his": "his", "himself": "himself", "boy": "boy", "brother": "brother", "son": "son"},
    "she": {"he": "she", "him": "her", "his": "her", "himself": "herself", "boy": "girl", "brother": "sister", "son": "daughter"},
}
_CAST = "HFET"


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
        template = choose(template, self.rng)
        template = _OWN_PARENT.sub(lambda m: f"{m[1]} {self.slots['P']}", template)
        return SLOT.sub(lambda m: self.slot(m.group(1)), template)

    def tell(self, beat: Beat) -> str:
        """Chooses one alternative that fits what has been told, and writes it out."""
        if isinstance(beat, str):
            template = parse(beat)
            if not (template.needs <= self.tags and not template.forbids & self.tags):
                return ""
        else:
            allowed = [t for t in map(parse, beat) if t.needs <= self.tags and not t.forbids & self.tags]
            # A beat may be written for one branch only; then it falls away in the others.
            if not allowed:
                return ""
            fitting = [t for t in allowed if t.known <= self.known]
            template = self.rng.choice(fitting or allowed)
        self.tags |= template.sets
        return self.write(template.text)

"""Names, things and places by the thousand in place of the families' dozens, put into finished problems."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from faker import Faker

from tasks.problem import Problem
from tasks.words import ANIMALS, NAMES, PLACES, THINGS

LOCALES = (
    "en_US en_GB en_IN en_KE en_NG en_PK es_ES es_MX fr_FR de_DE it_IT pl_PL pt_BR tr_TR nl_NL sv_SE fi_FI cs_CZ hu_HU ro_RO id_ID sw "
    "zu_ZA yo_NG ig_NG ha_NG vi_VN fil_PH da_DK no_NO hr_HR lt_LT et_EE sk_SK sl_SI fr_DZ tw_GH"
).split()
NAME = re.compile(r"[A-Z][a-z]{2,9}")

THING_NOUNS = (
    "acorn almond anchor apricot arrow axe badge bagel ball banana bangle basket battery bead bean bell belt berry biscuit blanket bolt book "
    "boot bottle bracelet brick broom bucket bulb bun button cactus cake candle cap carpet carrot chain chair charm chestnut chisel clay pot clip "
    "clock cloth coconut coin comb cone cookie cork crate crayon crown cup cushion doll doughnut drum duster earring envelope eraser fan fig flag "
    "flask flute fork frame funnel garland gem glove goblet grape guitar hammer hat helmet hook horn jacket jar jigsaw jug kettle key kite knob "
    "ladle lamp lantern leaf lemon lens lock log loom magnet map marble mask medal melon mint mirror mitten model mug nail napkin needle net "
    "notebook nut olive onion orange paddle pan parcel pear pebble pen pencil penny pepper pickle pie pillow pin pine cone plate plum poster "
    "potato prism pumpkin puppet purse puzzle quilt radio ribbon ring rocket rope rose ruler sack saddle scarf seed shell shoe shovel skate "
    "spade spoon sponge stamp statue stick sticker stone stool sweet table tent ticket tile tomato torch towel toy train tray truck trumpet tulip "
    "turnip tyre umbrella vase violin walnut watch wheel whistle wig wreath yo-yo zip"
)
PLACE_NOUNS = (
    "kitchen garden library park school barn forest bedroom hall attic cellar office garage museum tower shed bakery stable castle tent cabin "
    "cave chapel cinema classroom clinic closet corridor cottage courtyard dairy den dining room factory farm field gallery greenhouse gym harbour "
    "hotel hut kiosk laundry lighthouse lobby lounge market meadow mill nursery orchard pantry pavilion playground pool porch pub quarry "
    "restaurant rose garden shop stadium station storeroom studio study theatre town hall tunnel valley vineyard warehouse waiting room windmill "
    "workshop yard zoo"
)
ANIMAL_NOUNS = (
    "cat dog fox owl bear frog duck goat horse mouse rabbit sheep lion tiger whale snake turtle hen pig wolf badger beaver bee bison camel cheetah "
    "cobra crab crane crow deer dolphin donkey dove eagle elephant falcon ferret flamingo gecko giraffe goose gorilla hamster hare hawk hedgehog "
    "heron hippo hyena jaguar kangaroo koala lemur leopard lizard llama lobster lynx mole monkey moose moth newt octopus ostrich otter panda "
    "panther parrot peacock pelican penguin pigeon pony puffin python quail raccoon rat raven rhino robin salmon seal shark skunk sloth snail "
    "spider squirrel stork swan tapir toad tortoise turkey walrus wasp weasel wombat zebra"
)
# Families whose answers do not depend on how a word is written or ordered.
RENAMED = frozenset("word_problems lookup state relations logic comparison calendar units tools multiplication addition subtraction".split())
MOVED = frozenset("lookup state".split())


@cache
def many_names() -> tuple[str, ...]:
    """First names of some forty locales, in Latin letters without marks; from Faker's lists."""
    found: set[str] = set()
    for locale in LOCALES:
        try:
            provider = Faker(locale)
        except AttributeError:  # a locale that this version of Faker lacks
            continue
        for source in provider.providers:
            for field in ("first_names", "first_names_male", "first_names_female"):
                found.update(name for name in getattr(source, field, ()) if NAME.fullmatch(name))
    return tuple(sorted(found))


@cache
def places() -> tuple[str, ...]:
    return _nouns(PLACE_NOUNS, ("dining room", "rose garden", "town hall", "waiting room"))


@cache
def animals() -> tuple[str, ...]:
    return _nouns(ANIMAL_NOUNS, ())


@cache
def things() -> tuple[str, ...]:
    return _nouns(THING_NOUNS, ("clay pot", "pine cone", "toy train"))


def _nouns(text: str, pairs: Sequence[str]) -> tuple[str, ...]:
    for pair in pairs:
        text = text.replace(pair, pair.replace(" ", "_"))
    return tuple(word.replace("_", " ") for word in text.split())


def plural(noun: str) -> str:
    """The plural of a thing's noun."""
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if noun.endswith("leaf"):
        return noun[:-1] + "ves"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    if noun in ("potato", "tomato"):
        return noun + "es"
    return noun + "s"


def substitute(text: str, table: Mapping[str, str]) -> str:
    """Whole words of `text` by `table`, all at once; a capital first letter stays one."""
    if not table:
        return text
    pattern = re.compile(r"\b(" + "|".join(sorted(map(re.escape, table), key=len, reverse=True)) + r")\b")
    return pattern.sub(lambda found: table[found[1]], text)


def widened(problem: Problem, rng: random.Random) -> Problem:
    """The problem with other names, things, places and animals, the same ones throughout; its canonical form stays."""
    if problem.family not in RENAMED:
        return problem
    said = "\n".join([problem.question, *problem.thought, problem.answer, problem.gold, *(str(turn) for turn in problem.turns)])
    table: dict[str, str] = {}
    used = [name for name in NAMES if re.search(rf"\b{name}\b", said, re.IGNORECASE)]
    for old, new in zip(used, rng.sample(many_names(), len(used)), strict=True):
        table[old] = new
        if re.search(rf"\b{old}\b", said):
            table[old.lower()] = new.lower()
    if problem.family == "word_problems":
        kept = [pair for pair in THINGS if re.search(rf"\b({pair[0]}|{pair[1]})\b", said, re.IGNORECASE)]
        for (many, one), noun in zip(kept, rng.sample(things(), len(kept)), strict=True):
            table[many], table[one] = plural(noun), noun
            table[many.capitalize()], table[one.capitalize()] = plural(noun).capitalize(), noun.capitalize()
    if problem.family in MOVED:
        for old_words, new_words in ((PLACES, places()), (ANIMALS, animals())):
            found = [word for word in old_words if re.search(rf"\b{word}\b", said)]
            for old, new in zip(found, rng.sample(new_words, len(found)), strict=True):
                table[old] = new
    return replace(
        problem,
        question=substitute(problem.question, table),
        thought=tuple(substitute(line, table) for line in problem.thought),
        answer=substitute(problem.answer, table),
        gold=substitute(problem.gold, table),
        turns=tuple({key: substitute(value, table) if isinstance(value, str) else value for key, value in turn.items()} for turn in problem.turns),
    )

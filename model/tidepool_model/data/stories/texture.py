"""What makes two tellings of one plot differ: side sentences with many open slots, and other words.

Owns sentences that may stand anywhere in a story, and the exchange of common words. It never
changes who does what.
"""

from __future__ import annotations

import random
import re

from . import words
from .scene import Scene
from .template import Beat, with_article

# Sentences with many open slots. {x...} slots are drawn anew for every sentence.
SIDES: Beat = (
    "Above {him}, {xa sky} [drifted|moved|hung] over the {xplace}.",
    "[Somewhere|Far away|Not far off], {xa animal} [called|sang|splashed|ran] through the {xplace}.",
    "{xa animal} [watched|looked on|listened] from behind {xa spot}.",
    "{he} could smell {xfood} and {xsmell}.",
    "The air smelled of {xsmell} and {xsmell2}.",
    "{he} wore {xa color} {xclothes} with {xn} {xcolor2} [buttons|stripes|dots|patches].",
    "In {his} pocket there [was|lay] {xa thing}, {xa thing2} and a bit of {xfood}.",
    "{he} thought of {xfood} and of {xa adjthing}.",
    "{he} walked past {xa spot} and {xa spot2}.",
    "\"{xcry}!\" said {H}.",
    "\"{xcry}! {xremark},\" said {H}.",
    "\"{xremark},\" {he} said to {himself}.",
    "{he} was as {xsimile}.",
    "It was as {xstill}.",
    "{he} had eaten {xfood} for breakfast.",
    "{he} waved to {xa animal} that [sat|stood|slept] near {xa spot}.",
    "[Two|Three|Some] children [played|ran|sang] near {xa spot}.",
    "On {xa spot} somebody had painted {xa adjthing}.",
    "{he} [drew|painted] {xa animal} in the [sand|dust|snow].",
    "A sign said: \"To the {xplace}, {xn} miles.\"",
    "{xn} {xthings} lay beside {xa spot}.",
    "On the way {he} saw {xa animal}, {xa animal2} and {xa adjthing}.",
    "{xweather}, and {xweather2}.",
    "{he} [picked up|found] {xa color} stone and [kept it|threw it away|put it in {his} pocket|gave it to {xa animal}].",
    "A [bit of|smell of|plate of] {xfood} would be nice now, {he} thought.",
    "{he} [hummed|sang|whistled] a song about {xa animal} and {xa adjthing}.",
    "The {xcolor} light fell on {xa spot}.",
    "{he} saw {xn} {xthings} and {xn2} {xthings2} [in a shop|on a cart|by the road|in a window].",
    "Under {xa spot} sat {xa animal} and [slept|ate {xfood}|sang|looked up].",
)

SKY = "big white cloud|thin grey cloud|flock of geese|pale moon|bright star|lonely crow|string of birds|warm yellow sun|dark cloud|small kite|veil of mist".split("|")
SPOTS = (
    "tall tree|broken fence|mossy stone|red barn|stone well|wooden bridge|thick bush|quiet pond|old wall|heap of leaves|row of tents|"
    "fallen log|garden gate|blue mailbox|stack of hay|muddy puddle|park bench|small shop|church tower|round hut|windmill|bread cart|"
    "pile of wood|rose bush|signpost|rusty gate|hollow stump|patch of grass|big rock|yellow door|long hedge|fish stand"
).split("|")
SMELLS = "wet grass|pine trees|smoke|salt|roses|fresh paint|warm hay|rain|apples|wet stones|soap|cut wood|honey|the sea|old books|dust".split("|")
CLOTHES = "coat|hat|scarf|sweater|jacket|shirt|cap|vest|cape|belt|bow".split("|")
CRIES = (
    "Oh|Ah|Well, well|Oh my|Goodness|Look at that|Wow|Hm|Dear me|Oh no|Hooray|Good heavens|My, my|Hey|How odd|How nice|Hush|So be it|"
    "Right|Good"
).split("|")
REMARKS = (
    "This is going to be a long day|I should have eaten more {xfood}|I wonder what {xa animal} would do|It can't be that hard|"
    "One thing after the other|I wish I had {xa adjthing}|My feet are cold|I like the color {xcolor}|What a strange place|"
    "Somebody should tell {xa animal} about this|There is always a way|It smells like {xsmell} here|I could use some {xfood}|"
    "Tomorrow will be {xcolor} and bright|The {xplace} looks different today|I am not going to cry|It must be almost noon|"
    "I will think of something|Let me see|I have got {xn} {xthings} and no plan|"
    "Even {xa animal} could do that|This would be easier with {xa adjthing}"
).split("|")
SIMILES = (
    "quiet as a mouse|quick as the wind|proud as a king|busy as a bee|hungry as a wolf|red as a cherry|still as a stone|"
    "happy as a lark|brave as a lion|stiff as a board|light as a leaf|cold as ice|curious as a cat|slow as a snail|"
    "white as snow|pale as milk|warm as toast|tired as an old dog|sure as the sunrise|wet as a fish"
).split("|")
STILL = "quiet as in a church|dark as in a sack|warm as in an oven|cold as in a cellar|bright as at noon|still as before a storm|green as in spring|busy as at a fair".split("|")

# word -> others that fit wherever stories use it. Only words with one sense in the templates.
_SWAPS: dict[str, str] = {
    "very": "very|really|quite", "big": "big|large|huge", "small": "small|little|tiny", "tiny": "tiny|very small",
    "walked": "walked|went|strolled|wandered", "ran to": "ran to|rushed to|hurried to|raced to", "ran out": "ran out|rushed out|hurried out", "ran home": "ran home|hurried home|raced home", "ran after": "ran after|raced after|chased after", "began": "began|started",
    "suddenly": "suddenly|all at once|in a flash", "everyone": "everyone|everybody", "nobody": "nobody|no one", "lovely": "lovely|beautiful|wonderful",
    "at last": "at last|finally",
    "scared": "scared|afraid|frightened", "sad": "sad|unhappy", "happy": "happy|glad|cheerful", "strange": "strange|odd|funny",
    "quickly": "quickly|fast|at once", "looked for": "looked for|searched for", "together": "together|side by side",
    "a lot of": "a lot of|plenty of|lots of", "smiled": "smiled|grinned|beamed", "laughed": "laughed|giggled|chuckled", "tired": "tired|worn out|sleepy",
    "wonderful": "wonderful|lovely|great", "climbed": "climbed|scrambled", "jumped": "jumped|hopped|leaped",
    "for a long time": "for a long time|for a good while|for ages", "the next day": "the next day|the day after|the following day",
    "all day": "all day|the whole day|from morning to evening",
    "kind": "kind|good|warm-hearted", "angry": "angry|cross|mad",
}
_SWAP = re.compile(r"\b(" + "|".join(sorted(_SWAPS, key=len, reverse=True)) + r")\b")

_ADJECTIVES: dict[str, str] = {
    "river": "wide|cold|quiet|silver", "tree": "tall|bent|green|thick", "door": "heavy|green|creaky|wooden", "house": "crooked|white|little|stone",
    "road": "dusty|long|winding|empty", "hill": "steep|green|round|bare", "stone": "flat|grey|warm|smooth", "window": "round|high|dusty|small",
    "moon": "round|pale|thin|yellow", "sun": "warm|red|bright|low", "wind": "cold|warm|loud|soft", "rain": "warm|cold|soft|heavy",
    "path": "narrow|stony|crooked|muddy", "garden": "wild|green|tidy|little", "market": "busy|noisy|little", "bridge": "wooden|narrow|stone|shaky",
    "bird": "brown|tired|cheeky|thin", "sky": "wide|dark|blue|clear", "lamp": "dim|brass|little", "night": "dark|long|cold|clear", "water": "cold|clear|green|dark",
    "ground": "cold|soft|wet|hard", "grass": "wet|high|soft|green", "forest": "dark|quiet|green|deep", "sea": "grey|wide|wild|calm", "village": "quiet|sleepy|little",
}
_ADJECTIVE = re.compile(r"\b(the|a) (" + "|".join(_ADJECTIVES) + r")\b(?! (?:of|side|and the \w+ was))")
_SAID = re.compile(r'(" said (?:the \w+|[A-Z]\w+))([.])')
_MANNERS = "softly|loudly|with a smile|happily|in a low voice|at once|again|slowly|kindly|with a sigh|with a nod|and sat down|and looked away|with wide eyes|in a deep voice|and meant it".split("|")
_LEADS = "Then|Soon|After a while|A moment later|A little later|So|With a sigh,|Without a word,|Right away,|Once more,|With a nod,".split("|")
_LEAD = re.compile(r"(?<=[.!?] )(He|She|They) (?=(?:looked|walked|ran|went|sat|took|thought|tried|asked|waited|worked|began|climbed|jumped|put|made|told|laughed|sang|danced|pulled|held|read|gave|showed|followed|packed|opened|shared)\b)")


def fill(scene: Scene) -> None:
    """Draws the open slots of the next side sentence."""
    pick = scene.rng.choice
    things = scene.rng.sample(list(words.THINGS), 3)
    animals = scene.rng.sample(words.WILD, 2)
    colors = scene.rng.sample(words.COLORS, 2)
    numbers = scene.rng.sample("two three four five six seven eight nine ten twelve".split(), 2)
    spots, smells, weather = scene.rng.sample(SPOTS, 2), scene.rng.sample(SMELLS, 2), scene.rng.sample(words.WEATHER, 2)
    drawn = {
        "xsky": pick(SKY), "xplace": pick(words.OUTDOORS), "xfood": pick(words.FOODS), "xsmell": smells[0], "xsmell2": smells[1],
        "xspot": spots[0], "xspot2": spots[1], "xcolor": colors[0], "xcolor2": colors[1], "xclothes": pick(CLOTHES), "xn": numbers[0], "xn2": numbers[1],
        "xthing": things[0], "xthing2": things[1], "xadjthing": f"{pick(words.THINGS[things[2]][0].split())} {things[2]}",
        "xthings": words.THINGS[things[0]][1], "xthings2": words.THINGS[things[1]][1], "xsimile": pick(SIMILES), "xstill": pick(STILL),
        "xanimal": f"{pick(words.ANIMALS[animals[0]][0].split())} {animals[0]}", "xanimal2": f"{pick(words.ANIMALS[animals[1]][0].split())} {animals[1]}",
        "xcry": pick(CRIES), "xremark": pick(REMARKS), "xweather": weather[0], "xweather2": weather[1],
    }
    scene.slots.update(drawn)
    for key, value in drawn.items():
        scene.slots["xa " + key[1:]] = with_article(value)


def side(scene: Scene) -> str:
    """One side sentence."""
    fill(scene)
    return scene.tell(SIDES)


def vary(text: str, rng: random.Random) -> str:
    """Exchanges some common words for others and adds a few small ones; sense and order stay."""

    def swap(match: re.Match[str]) -> str:
        return rng.choice(_SWAPS[match[1]].split("|")) if rng.random() < 0.55 else match[0]

    def adjective(match: re.Match[str]) -> str:
        if rng.random() > 0.3:
            return match[0]
        return f"{match[1]} {rng.choice(_ADJECTIVES[match[2]].split('|'))} {match[2]}"

    def manner(match: re.Match[str]) -> str:
        return f"{match[1]} {rng.choice(_MANNERS)}." if rng.random() < 0.3 else match[0]

    def lead(match: re.Match[str]) -> str:
        return f"{rng.choice(_LEADS)} {match[1].lower()} " if rng.random() < 0.14 else match[0]

    text = _SWAP.sub(swap, text)
    text = _ADJECTIVE.sub(adjective, text)
    text = _SAID.sub(manner, text)
    text = _LEAD.sub(lead, text)
    # A swap may have changed the first sound after an article.
    text = re.sub(r"\b([Aa])n (?!hour|honest)(?=[bcdfghjklmnpqrstvwyz])", r"\1 ", text)
    return re.sub(r"\b([Aa]) (?=(?:[aei]|o(?!ne)|u(?!ni|se))[a-z])", r"\1n ", text)

"""The story generator: draws a plot, casts a scene, tells it, and writes a request that the story answers.

Owns the order of a story and what is asked of it. Words are in ``words``, the template language in ``template``,
the cast in ``scene``, openings, closings and requests in ``frames``, plots in ``plots`` and ``quest``.
Sentence starts are capitalised afterwards.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from . import frames, plots, quest, texture, words
from .scene import Scene
from .template import Beat, choose, with_article

_SPEECH_VERB = r"(?:said|asked|cried|whispered|shouted|called|answered|thought|laughed|went|came)\b"
_SENTENCE_START = re.compile(r"(^|[.!?:]\s+(?=\")|[.!?][\"']?\s+|\n+)([\"']?)([a-z])")
_AFTER_SPEECH = re.compile(r"([!?.]\") ((?:He|She|It|They|The \w+) )?(?i:(" + _SPEECH_VERB + r"))")
# How often a side sentence stands after the opening, and at the end of a paragraph.
SIDE_AT_START = 0.55
SIDE_AT_BREAK = 0.3


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


def tidy(text: str) -> str:
    """Capitalises sentence starts, but not what follows speech, and removes doubled spaces."""
    text = re.sub(r" {2,}", " ", text).replace(" .", ".").replace(" ,", ",")
    text = "\n".join(line.strip() for line in text.split("\n"))
    text = _SENTENCE_START.sub(lambda m: m[1] + m[2] + m[3].upper(), text)
    return _AFTER_SPEECH.sub(lambda m: f"{m[1]} {(m[2] or '').lower()}{m[3].lower()}", text).strip()


def generate(rng: random.Random) -> Story:
    """Makes one story of about 80 to 250 tokens."""
    if rng.random() < quest.SHARE:
        plot = quest.make(rng)
    else:
        plot = rng.choice(plots.PLOTS)
    scene = Scene(rng, plot.child)
    scene.slots.update({name: rng.choice(values) for name, values in dict(plot.slots).items()})
    ending = rng.choice([e for e in plot.ends for _ in range(4 if e == "happy" else 2)])
    closing: Beat = frames.CLOSINGS[ending] if rng.random() < 0.5 else ""
    detail: Beat = frames.DETAILS if rng.random() < 0.55 else ""
    paragraphs: list[list[str]] = [[]]
    for index, beat in enumerate((frames.OPENINGS, detail, *plot.middle, "\n", *plot.ends[ending], closing)):
        if beat == "\n":
            if rng.random() < SIDE_AT_BREAK:
                paragraphs[-1].append(texture.side(scene))
            paragraphs.append([])
        elif told := scene.tell(beat):
            paragraphs[-1].append(told)
        if index == 1 and rng.random() < SIDE_AT_START:
            paragraphs[-1].append(texture.side(scene))
    joint = "\n\n" if rng.random() < 0.7 else " "
    text = texture.vary(tidy(joint.join(" ".join(p) for p in paragraphs if p)), rng)
    s = scene.slots
    title = tidy(scene.write(rng.choice(frames.TITLES)))

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


def request(story: Story, rng: random.Random) -> str:
    """A request that the story answers, naming some of what is in it."""
    roll = rng.random()
    if roll < 0.08:
        return choose(rng.choice(frames.OPEN_REQUESTS), rng)
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
        end = choose(rng.choice(frames.END_WISHES).replace("@ending", story.ending), rng)
    text = choose(rng.choice(frames.REQUESTS), rng).replace("@about", about).replace("@end", end).strip()
    text = re.sub(r"\s+([.,?!])", r"\1", text).replace("..", ".").replace(".?", "?")
    if rng.random() < 0.12:
        return text.lower().rstrip(".!")
    return text[0].upper() + text[1:]

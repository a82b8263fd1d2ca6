"""Small talk: what Tidepool says about itself, to greetings, jokes, feelings, and what it can't do.

Owns the phrasings of both sides and how conversations are strung together; the chat form is in
``chat_format``. Text is in simple English; ``[one|two]`` picks one.
"""

from __future__ import annotations

import random
import re
from typing import Any

from tasks import registry

from ..stories import storyteller
from . import facts
from .topics import TOPICS

_PLAIN_FAMILIES = tuple(name for name in registry.FAMILIES if name != "tools")
"""Families whose problems are one question and one answer."""

_CHOICE = re.compile(r"\[([^\[\]]*)\]")

Message = dict[str, Any]


def expand(template: str, rng: random.Random) -> str:
    """Writes out the choices of a template, inner ones first."""
    while "[" in template:
        template = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), template)
    return template.strip()


SYSTEMS = (
    "You are Tidepool, a tiny language model.",
    "You are Tidepool. Answer in short, simple sentences.",
    "You are a helpful assistant.",
    "You are a friendly helper. Be brief.",
    "Answer briefly.",
    "You are Tidepool, a small and honest assistant.",
    "Keep your answers short.",
    "Be kind and clear.",
)


def _assistant(reply: str, thought: str | None) -> Message:
    message: Message = {"role": "assistant", "content": reply}
    if thought:
        message["reasoning"] = thought
    return message


def _scruffy(text: str, rng: random.Random) -> str:
    """Now and then writes as people type: no capital, no full stop."""
    roll = rng.random()
    if roll < 0.12:
        return text[:1].lower() + text[1:]
    if roll < 0.2:
        return text.rstrip(".!?") or text
    if roll < 0.23:
        return text.lower()
    return text


# What is said, and the sign and value of the step; None stands for a number drawn.
_NUMBER_STEPS: tuple[tuple[str, str, int | None], ...] = (
    ("[And|Now] twice that[?|.]", "×", 2),
    ("[Double it|Now double it|Times two][.|]", "×", 2),
    ("And three times that?", "×", 3),
    ("[Now add|And plus|Add|Plus] {k}[.|?|]", "+", None),
    ("[Now|And] {k} more[?|.]", "+", None),
    ("What if I add {k}?", "+", None),
    ("[Now|And] take away {k}[.|]", "-", None),
    ("[And|Now] minus {k}[?|]", "-", None),
    ("[Subtract|Take away|Minus] {k} from that.", "-", None),
)


def _apply(n: int, sign: str, k: int) -> int:
    return n + k if sign == "+" else n - k if sign == "-" else n * k


def number_chain(rng: random.Random) -> list[Message]:
    """A small sum and one or two questions that refer back to its result."""
    problem = registry.sample(rng.choice(("addition", "subtraction")), rng, rng.choice((1, 1, 2)), "train")
    thinking = rng.random() < 0.6
    messages: list[Message] = [
        {"role": "user", "content": problem.question},
        _assistant(problem.answer, "\n".join(problem.thought) if thinking else None),
    ]
    n = int(problem.gold)
    for _ in range(rng.randint(1, 2)):
        said, sign, value = rng.choice(_NUMBER_STEPS)
        k = rng.randint(1, min(20, max(n, 1))) if value is None else value
        result = _apply(n, sign, k)
        if result < 0:
            break
        messages.append({"role": "user", "content": expand(said.replace("{k}", str(k)), rng)})
        step = f"{n} {sign} {k} = {result}."
        messages.append(_assistant(step, f"The last answer is {n}.\n{step}" if thinking else None))
        n = result
    return messages


_FACTS = (
    ("My name is {v}.", "What is my name?", "Your name is {v}.", "Tom Mia Ben Anna Leo Zoe Sam Nina Omar Lucy Max Ella Ravi Ada Finn".split()),
    ("I am {v}.", "What is my name?", "Your name is {v}.", "Tom Mia Ben Anna Leo Zoe Sam Nina Omar Lucy Max Ella Ravi Ada Finn".split()),
    ("I have a {v}.", "What animal do I have?", "You have a {v}.", "dog cat rabbit horse parrot hamster goat turtle duck".split()),
    ("My favorite color is {v}.", "What is my favorite color?", "Your favorite color is {v}.", "red blue green yellow purple pink orange black white".split()),
    ("I live in {v}.", "Where do I live?", "You live in {v}.", "Paris London Rome Berlin Madrid Oslo Lima Cairo Tokyo Boston".split()),
    ("I had {v} for lunch.", "What did I eat?", "You had {v} for lunch.", "soup pizza rice noodles bread salad pancakes fish".split()),
)


def fact_chain(rng: random.Random) -> list[Message]:
    """The person says something about themselves, and asks for it later."""
    say, ask, answer, values = rng.choice(_FACTS)
    value = rng.choice(values)
    first = rng.choice(("Nice!", "Good to know.", "Thank you for telling me.", "How nice!", "Okay, I will keep that in mind for this chat."))
    if "name" in ask:
        first = rng.choice((f"Hello, {value}!", f"Nice to meet you, {value}.", f"Hi {value}! What can I do for you?"))
    thinking = rng.random() < 0.5
    messages: list[Message] = [
        {"role": "user", "content": expand(rng.choice(("[Hi! |Hello. ||]", "")) + say.replace("{v}", value), rng)},
        _assistant(first, None),
    ]
    if rng.random() < 0.6:
        messages += unrelated(rng, rng.choice((1, 1, 2)))
    messages.append({"role": "user", "content": _scruffy(ask, rng)})
    thought = f"The user said: {say.replace('{v}', value)}" if thinking else None
    messages.append(_assistant(answer.replace("{v}", value), thought))
    return messages


def topic_turn(rng: random.Random, thinking: bool, name: str | None = None, middle: bool = False) -> list[Message]:
    """One thing said and one reply, on a topic drawn by weight or named."""
    if name is None:
        # Greetings open a conversation and goodbyes close it; ``conversation`` puts them there.
        weights = [0.0 if middle and t.name in ("hello", "bye") else t.weight for t in TOPICS]
        topic = rng.choices(TOPICS, weights=weights)[0]
    else:
        topic = next(t for t in TOPICS if t.name == name)
    said = expand(rng.choice(topic.says), rng)
    if topic.name not in ("gibberish", "other language"):
        said = _scruffy(said, rng)
    thought = rng.choice(topic.thoughts) if thinking and topic.thoughts else None
    return [{"role": "user", "content": said}, _assistant(expand(rng.choice(topic.replies), rng), thought)]


def everyday(rng: random.Random, thinking: bool) -> list[Message]:
    """A question on an everyday fact and its answer."""
    questions, answer = rng.choice(facts.FACTS)
    said = expand(rng.choice(questions), rng)
    if rng.random() < 0.15:
        said = rng.choice(("Tell me: ", "Quick question. ", "Do you know? ", "Hey, ", "Please tell me. ")) + said
    thought = rng.choice(("This is a simple question.", "I know this one.", "A small fact.")) if thinking else None
    return [{"role": "user", "content": _scruffy(said, rng)}, _assistant(answer, thought)]


def unrelated(rng: random.Random, count: int, family: str | None = None) -> list[Message]:
    """`count` exchanges that have nothing to do with each other nor with what comes after them, without thoughts.

    Problems of the train side, more often of `family` (people ask for one sum after the other), small talk, everyday facts, stories.
    A chat is mostly this; a model that only ever saw follow-ups takes every later question for one (LOG.md).
    """
    messages: list[Message] = []
    for _ in range(count):
        roll = rng.random()
        if roll < 0.62:
            drawn = family if family in _PLAIN_FAMILIES and rng.random() < 0.4 else rng.choice(_PLAIN_FAMILIES)
            problem = registry.sample(drawn, rng, rng.choice((1, 1, 2, 3)), "train", "wide")
            messages += [{"role": "user", "content": problem.question}, _assistant(problem.answer, None)]
        elif roll < 0.78:
            messages += topic_turn(rng, thinking=False)
        elif roll < 0.9:
            story = storyteller.generate(rng)
            messages += [{"role": "user", "content": storyteller.request(story, rng)}, _assistant(story.text, None)]
        else:
            messages += everyday(rng, thinking=False)
    return messages


def after_others(messages: list[Message], rng: random.Random, family: str | None = None) -> tuple[list[Message], int]:
    """The chat with one to three unrelated exchanges before it, and how many of its assistant turns those are."""
    count = rng.choice((1, 1, 1, 2, 2, 3))
    system = 1 if messages and messages[0]["role"] == "system" else 0
    return [*messages[:system], *unrelated(rng, count, family), *messages[system:]], count


def conversation(rng: random.Random) -> list[Message]:
    """A whole conversation of one to four exchanges."""
    roll = rng.random()
    if roll < 0.12:
        messages = number_chain(rng)
    elif roll < 0.22:
        messages = fact_chain(rng)
    elif roll < 0.36:
        thinking = rng.random() < 0.5
        messages = topic_turn(rng, False, "hello") if rng.random() < 0.15 else []
        for _ in range(rng.choice((1, 1, 2))):
            messages += everyday(rng, thinking)
    else:
        thinking = rng.random() < 0.6
        count = rng.choice((1, 1, 1, 1, 2, 2, 3))
        messages = []
        if count > 1 and rng.random() < 0.5:
            messages += topic_turn(rng, thinking, "hello")
            count -= 1
        for _ in range(count):
            messages += topic_turn(rng, thinking, middle=count > 1 or bool(messages))
        if rng.random() < 0.15:
            messages += topic_turn(rng, thinking, rng.choice(("thanks", "bye")))
    if rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": rng.choice(SYSTEMS)})
    return messages

"""Pairs of talk, ranked by rule: the reply that a chat of the recipe has, beside one that a rule made worse. Nobody is asked.

The rules are the pairs' domains (RULES says each in words, for a card). Turns are small talk, everyday facts, what was said
earlier in the chat, and stories. Each pair comes with what its turn is about, so that a topic, a fact or a plot can be held out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..data import chat_format
from ..data.chats import conversation
from ..data.chats.topics import TOPICS
from ..data.stories import storyteller
from .preferences import Preference

ANOTHER, FORGETS, REPEATS = "talk, another turn's reply", "talk, forgets what was said", "talk, repeats itself"
BREAKS_OFF, FOREIGN, MARKUP = "talk, breaks off", "talk, another language", "talk, raw markup"
RULES = {
    ANOTHER: "a chat's reply before that of a turn of another kind, or of a question on another fact",
    FORGETS: "a recalled name, thing or place before one that nobody said",
    REPEATS: "a chat's reply before one that says a sentence of it three to six times",
    BREAKS_OFF: "a chat's reply before its beginning, cut in the middle of a sentence",
    FOREIGN: "a chat's reply before German, Spanish, French or Italian in answer to English",
    MARKUP: "a chat's reply before a call of a tool, or a part of one, where no tool was offered",
}
SIZE = {ANOTHER: 2, FORGETS: 2, REPEATS: 2, BREAKS_OFF: 3, FOREIGN: 3, MARKUP: 3}
SENTENCE = re.compile(r"[^.!?]+[.!?]+[\"']?\s*|[^.!?]+$")
WORD = re.compile(r"[\w']+")

OTHER_LANGUAGES = (
    ("Das mache ich gern für dich.", "Ich bin nur ein kleines Programm.", "Das weiß ich leider nicht genau.", "Frag mich bitte noch einmal.", "Heute ist ein schöner Tag.", "Es war einmal ein kleiner Fuchs im Wald."),
    ("Claro, con mucho gusto.", "Soy un programa muy pequeño.", "No lo sé con seguridad.", "¿Me lo puedes preguntar otra vez?", "Hoy hace un día bonito.", "Había una vez un zorro en el bosque."),
    ("Bien sûr, avec plaisir.", "Je suis un tout petit programme.", "Je ne le sais pas vraiment.", "Peux-tu me le demander encore ?", "Il fait beau aujourd'hui.", "Il était une fois un petit renard."),
    ("Certo, volentieri.", "Sono un programma molto piccolo.", "Non lo so di sicuro.", "Puoi chiedermelo di nuovo?", "Oggi è una bella giornata.", "C'era una volta una piccola volpe."),
)  # fmt: skip
NOT_ENGLISH = frozenset(word for sentences in OTHER_LANGUAGES for sentence in sentences for word in WORD.findall(sentence.lower()))


@dataclass(frozen=True)
class Turn:
    """The last exchange of a chat, and what it is about."""

    kind: str  # "topic", "fact", "recall" or "story"
    source: str  # a topic's name, a fact, what is recalled, a plot
    context: tuple[dict[str, str], ...]
    reply: str
    thought: str | None


def draw_turn(rng: random.Random, kind: str | None = None) -> Turn:
    """A turn of the recipe's own chats, now and then after others that have nothing to do with it."""
    kind = kind or rng.choices(("topic", "fact", "recall", "story"), (45, 25, 15, 15))[0]
    thinking = rng.random() < 0.5
    if kind == "topic":
        # A reply in another language, or to a keyboard's noise, may be as good as the one that stands there.
        known = [topic for topic in TOPICS if topic.name not in ("other language", "gibberish")]
        about = rng.choices(known, [topic.weight for topic in known])[0].name
        messages = conversation.topic_turn(rng, thinking, about)
    elif kind == "fact":
        messages = conversation.everyday(rng, thinking)
        about = messages[-1]["content"]
    elif kind == "recall":
        messages = conversation.fact_chain(rng)
        about = messages[-1]["content"]
    else:
        story = storyteller.generate(rng)
        messages = [{"role": "user", "content": storyteller.request(story, rng)}, {"role": "assistant", "content": story.text, "reasoning": storyteller.plan(story, rng)}]
        about = story.plot
    if kind in ("topic", "fact") and rng.random() < 0.25:
        messages, _ = conversation.after_others(messages, rng)
    if rng.random() < 0.15:
        messages = [{"role": "system", "content": rng.choice(conversation.SYSTEMS)}, *messages]
    thought = chat_format.reasoning_of(messages[-1]) if thinking or kind == "recall" else None
    return Turn(kind, f"{kind}: {about}", tuple({"role": m["role"], "content": m["content"]} for m in messages[:-1]), messages[-1]["content"], thought)


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def another(turn: Turn, rng: random.Random) -> str | None:
    """Of another kind; of a fact also another fact's answer."""
    other = draw_turn(rng)
    return other.reply if (other.kind != turn.kind or turn.kind == "fact") and other.source != turn.source else None


def forgets(turn: Turn, rng: random.Random) -> str | None:
    """The same sentence with another word in one place, which stands nowhere in the chat."""
    if turn.kind != "recall":
        return None
    said = {word for message in turn.context for word in words_of(message["content"])}
    for _ in range(40):
        other, own = draw_turn(rng, "recall").reply.split(), turn.reply.split()
        changed = [a for a, b in zip(other, own, strict=False) if a != b]
        if len(other) == len(own) and len(changed) == 1 and words_of(changed[0])[0] not in said:
            return " ".join(other)
    return None


def repeats(turn: Turn, rng: random.Random) -> str | None:
    """Its first sentences, the last of them three to six times."""
    sentences = [sentence.strip() for sentence in SENTENCE.findall(turn.reply) if words_of(sentence)]
    head = sentences[: rng.randint(1, len(sentences))] if sentences else []
    return " ".join([*head, *head[-1:] * rng.randint(2, 5)]) if head else None


def breaks_off(turn: Turn, rng: random.Random) -> str | None:
    """Its first words, the last of which ends no sentence."""
    words = turn.reply.split()
    cut = [k for k in range(max(1, len(words) * 3 // 10), len(words) * 8 // 10 + 1) if k < len(words) and words[k - 1][-1].isalnum()]
    return " ".join(words[: rng.choice(cut)]) if cut else None


def foreign(turn: Turn, rng: random.Random) -> str | None:
    """One or two sentences of one other language."""
    return " ".join(rng.sample(rng.choice(OTHER_LANGUAGES), rng.randint(1, 2)))


def markup(turn: Turn, rng: random.Random) -> str | None:
    """A call alone, before or after the reply, or a part of one that was left open."""
    name = rng.choice(list(chat_format.TOOLS))
    given = f"<parameter=expression>\n{rng.randint(2, 99)} + {rng.randint(2, 99)}\n</parameter>\n" if name == "calculator" else ""
    call = f"<tool_call>\n<function={name}>\n{given}</function>\n</tool_call>"
    opened = call[: call.index(">\n", call.index("<function")) + 2].rstrip()
    return rng.choice((call, f"{turn.reply}\n{call}", f"{call}\n{turn.reply}", opened, f"{turn.reply}\n</function>\n</tool_call>"))


MAKERS: dict[str, Callable[[Turn, random.Random], str | None]] = {
    ANOTHER: another, FORGETS: forgets, REPEATS: repeats, BREAKS_OFF: breaks_off, FOREIGN: foreign, MARKUP: markup,
}  # fmt: skip


def has_fault(kind: str, better: str, worse: str) -> bool:
    """Whether the worse reply shows what its kind says; each looks at the text alone."""
    if words_of(better) == words_of(worse) and kind != MARKUP:
        return False
    if kind == REPEATS:
        sentences = [sentence.strip() for sentence in SENTENCE.findall(worse) if words_of(sentence)]
        return len(sentences) > 2 and len(set(sentences[-3:])) == 1
    if kind == BREAKS_OFF:
        return better.split()[: len(worse.split())] == worse.split() and worse[-1].isalnum()
    if kind == FOREIGN:
        return set(words_of(worse)) <= NOT_ENGLISH
    if kind == MARKUP:
        return "<function=" in worse or "</function>" in worse
    if kind == FORGETS:
        return len(better.split()) == len(worse.split()) and sum(a != b for a, b in zip(better.split(), worse.split(), strict=True)) == 1
    return True


def talk_pair(turn: Turn, kind: str, rng: random.Random) -> Preference | None:
    """The turn's reply beside one made worse by that rule; both after the same thought. None where the rule finds no place."""
    if not words_of(turn.reply):
        return None
    worse = MAKERS[kind](turn, rng)
    if worse is None or not has_fault(kind, turn.reply, worse):
        return None
    opened = f"{turn.thought}\n{chat_format.END_THINK}\n" if turn.thought else ""
    good, bad = opened + turn.reply, opened + worse
    first = rng.random() < 0.5
    return Preference(turn.context, (good, bad) if first else (bad, good), -SIZE[kind] if first else SIZE[kind], kind)


def talk_pairs(count: int, seed: int) -> list[tuple[str, Preference]]:
    """Such pairs with what their turns are about, rules by turns."""
    rng = random.Random(seed)
    found: list[tuple[str, Preference]] = []
    while len(found) < count:
        kind = list(MAKERS)[len(found) % len(MAKERS)]
        turn = draw_turn(rng, "recall" if kind == FORGETS else None)
        pair = talk_pair(turn, kind, rng)
        if pair is not None:
            found.append((turn.source, pair))
    return found


def split_by_source(pairs: Sequence[tuple[str, Preference]], share: float, rng: random.Random) -> tuple[list[Preference], list[Preference]]:
    """(to fit on, held out): topics, facts and plots of the held-out pairs stand in no other as their own."""
    sources = sorted({source for source, _ in pairs})
    rng.shuffle(sources)
    wanted, held = len(pairs) * share, set[str]()
    taken = 0
    for source in sources:
        size = sum(other == source for other, _ in pairs)
        if taken + size <= wanted:
            held.add(source)
            taken += size
    return [pair for source, pair in pairs if source not in held], [pair for source, pair in pairs if source in held]

"""Whether a retelling is still the story, in other words: names, things and the words of its end kept, few runs of words shared."""

from __future__ import annotations

import re

from ..data.stories.storyteller import Story

WORD = re.compile(r"[A-Za-z][\w']*")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”]?\s+")
RUN = 4  # words in a row
MOST_SHARED = 0.5  # of a retelling's runs that stand in the story
LEAST_KEPT = 0.4  # of the story's words that stand in a retelling
SHORTEST, FARTHEST = 0.5, 1.6  # of the story's length in words
# Words that say nothing of what a story is about.
EMPTY = frozenset(
    "about after again also and any are back been but came could did down each even ever every for from had has have her here him his how into its just like many more most much not now off old one "
    "only other our out over said saw she some such than that the their them then there they this those too two under until very was well went were what when where which while who will with would you your".split()
)


def words_of(text: str) -> list[str]:
    return [word.lower().removesuffix("'s") for word in WORD.findall(text)]


def telling(text: str) -> set[str]:
    """Words of a text that say something."""
    return {word for word in words_of(text) if len(word) > 2 and word not in EMPTY}


def ending(text: str) -> set[str]:
    """Such words of its last sentence that has two of them."""
    sentences = SENTENCE_END.split(text.strip())
    return next((said for sentence in reversed(sentences) if len(said := telling(sentence)) > 1), set())


def runs(text: str) -> list[tuple[str, ...]]:
    words = words_of(text)
    return [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]


def shared(story: str, retelling: str) -> float:
    """Share of the retelling's runs of words that stand in the story."""
    known, said = set(runs(story)), runs(retelling)
    return sum(run in known for run in said) / len(said) if said else 1.0


def names_of(text: str) -> set[str]:
    """Words that have a capital where no sentence begins."""
    return {match[1] for match in re.finditer(r"(?<=[a-z,;] )([A-Z][a-z]+)", text)} - {"I"}


def why_refused(story: Story, retelling: str) -> str | None:
    """Why a retelling is no row to teach, or None."""
    told = words_of(retelling)
    if not told or retelling.rstrip()[-1] not in ".!?\"'”":
        return "it is empty or breaks off"
    if not SHORTEST <= len(told) / len(words_of(story.text)) <= FARTHEST:
        return "it is far shorter or longer"
    wanted = {word.lower() for name in (story.hero_name or story.hero, story.thing, story.place, story.friend) if name for word in WORD.findall(name)} - {"the", "a", "an"}
    wanted |= {name.lower() for name in names_of(story.text)}
    if not wanted <= set(told):
        return "a name, a thing or a place was lost"
    if {name.lower() for name in names_of(retelling)} - set(words_of(story.text)):
        return "a name was added"
    if not ending(story.text) <= telling(" ".join(SENTENCE_END.split(retelling.strip())[-2:])):
        return "the words of its end were lost"
    if len(telling(story.text) & telling(retelling)) < LEAST_KEPT * len(telling(story.text)):
        return "it tells something else"
    if shared(story.text, retelling) >= MOST_SHARED:
        return f"half of its runs of {RUN} words are the story's"
    return None

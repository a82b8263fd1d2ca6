"""A retelling is kept where names, things and end survive in other words, and is refused by name where they do not."""

from __future__ import annotations

import random

import pytest

from tidepool_model.data.stories import storyteller
from tidepool_model.data.stories.storyteller import Story
from tidepool_model.posttraining.same_story import RUN, ending, shared, why_refused

TEXT = (
    "A white swan called Luna lived on the lake. One night she heard a loud noise in the reeds. She woke up a curious pig named Minnie. "
    "They counted to three and looked. It was only three mice with a mirror, and they were having a party! Luna closed the door very softly."
)
STORY = Story(TEXT, "Luna", "swan", "Luna", "mirror", "lake", "pig", "surprising", "strange noise")
GOOD = (
    "On a lake lived Luna, a swan as white as snow. There was such a noise one night that she went and woke Minnie. That curious pig came along at once. "
    "Both of them looked into the reeds: mice, three of them, had found a mirror and held a party there. So Luna very softly closed her door."
)


def test_other_words_pass_and_the_same_ones_do_not() -> None:
    assert why_refused(STORY, GOOD) is None
    assert shared(TEXT, GOOD) < 0.1 and shared(TEXT, TEXT) == 1
    assert why_refused(STORY, TEXT) == f"half of its runs of {RUN} words are the story's"
    assert why_refused(STORY, TEXT.replace("One night", "At night")) == f"half of its runs of {RUN} words are the story's"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (GOOD[:-1] + " and", "breaks off"),
        ("Luna the swan closed the door very softly.", "far shorter"),
        (GOOD + " " + GOOD, "longer"),
        (GOOD.replace("Luna", "the bird"), "was lost"),
        (GOOD.replace("Minnie", "a friend"), "was lost"),
        (GOOD.replace("mirror", "glass"), "was lost"),
        (GOOD.replace("woke Minnie", "woke Minnie and Tom"), "a name was added"),
        (GOOD.replace("So Luna very softly closed her door.", "So Luna went to bed, and all was well."), "the words of its end"),
        (
            "Luna, a swan of some lake, bought a mirror for her friend, a pig. Minnie laughed and danced through many towns, sang songs for kings and ate plums, "
            "slept under bridges, crossed mountains, and came home rich. Luna closed the door softly.",
            "tells something else",
        ),
    ],
)
def test_what_was_lost_is_named(text: str, why: str) -> None:
    assert why in (why_refused(STORY, text) or "kept")


def test_drawn_stories_have_an_end_to_keep_and_are_no_retelling_of_themselves() -> None:
    rng = random.Random(1)
    for _ in range(60):
        story = storyteller.generate(rng)
        assert len(ending(story.text)) > 1
        assert why_refused(story, story.text) == f"half of its runs of {RUN} words are the story's", story.text
        other = storyteller.generate(rng)
        assert why_refused(story, other.text) is not None

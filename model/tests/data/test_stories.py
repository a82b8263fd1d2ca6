"""The story generator: well-formed text, variety, determinism, and requests that fit."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from tidepool_model.data.stories import plots, quest, storyteller
from tidepool_model.data.stories.measure import distinct, main as measure
from tidepool_model.data.stories.scene import Scene

COUNT = 600


@pytest.fixture(scope="module")
def sample() -> list[storyteller.Story]:
    rng = random.Random(11)
    return [storyteller.generate(rng) for _ in range(COUNT)]


def test_no_template_marks_are_left(sample):
    for story in sample:
        assert not re.search(r"[\[\]{}|]|  | \.| ,|\+\w+ \w", story.text + story.title), story.text


def test_articles_and_capitals(sample):
    for story in sample:
        assert not re.search(r"\ba [aei]\w", story.text, re.I), story.text
        assert not re.search(r"\ban (?!hour|honest)[bcdfghjklmnpqrstvwyz]", story.text, re.I), story.text
        assert not re.search(r"[a-z]\. [a-z]", story.text), story.text
        assert story.text[0].isupper() or story.text[0] == '"'
        assert story.text[-1] in '.!?"', story.text


def test_length_in_words(sample):
    lengths = sorted(len(s.text.split()) for s in sample)
    assert lengths[0] >= 45 and lengths[-1] <= 230
    assert 80 <= lengths[len(lengths) // 2] <= 160


def test_no_two_stories_are_alike(sample):
    assert len({s.text for s in sample}) == COUNT
    grams = [set(zip(*(s.text.lower().split()[i:] for i in range(4)), strict=False)) for s in sample[:150]]
    overlaps = [len(a & b) / min(len(a), len(b)) for i, a in enumerate(grams) for b in grams[:i]]
    assert sum(overlaps) / len(overlaps) < 0.06


def test_distinct_ngrams(sample):
    texts = [s.text for s in sample]
    # DATA.md has what TinyStories gives for as many words; ours measured a little above these bounds.
    assert distinct(texts, 2) > 0.18
    assert distinct(texts, 3) > 0.38
    assert distinct(texts, 4) > 0.52


def test_the_measure_counts_ngrams_and_names_a_missing_corpus(tmp_path, capsys):
    assert distinct(["a b a b"], 2) == 2 / 3 and distinct(["a b c", "a b"], 2, words=3) == 1 and distinct([], 3) == 0
    with pytest.raises(SystemExit, match=r"no corpus file at .*tinystories"):
        measure(["--stories", "3", "--corpora", str(tmp_path)])
    folder = tmp_path / "tinystories"
    folder.mkdir()
    (folder / "stories.txt").write_text("One day a cat sat.<|endoftext|>One day a dog ran.")
    measure(["--stories", "3", "--corpora", str(tmp_path)])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["3", "generated", "TinyStories"]


def test_every_plot_and_ending_can_be_told():
    for plot in (*plots.PLOTS, *(quest.make(random.Random(i)) for i in range(40))):
        for ending in plot.ends:
            for seed in range(6):
                rng = random.Random(f"{plot.name} {ending} {seed}")
                scene = Scene(rng, plot.child)
                scene.slots.update({k: rng.choice(v) for k, v in dict(plot.slots).items()})
                for beat in (*plot.middle, *plot.ends[ending]):
                    assert "{" not in scene.tell(beat)


def test_characters_are_introduced_before_they_are_named(sample):
    for story in sample:
        if story.hero_name and story.hero not in ("boy", "girl"):
            first = story.text.index(story.hero_name)
            assert story.hero in story.text[: first], story.text


def test_requests_name_what_is_in_the_story(sample):
    rng = random.Random(2)
    seen = Counter()
    for story in sample:
        asked = storyteller.request(story, rng)
        seen[asked] += 1
        assert not re.search(r"[\[\]|@]|\ba [aei]\w", asked), asked
        for name in ("thing", "place", "friend"):
            value = getattr(story, name)
            assert value is None or value in story.text
    assert len(seen) > 0.8 * COUNT


def test_same_seed_same_stories():
    first, second = random.Random(5), random.Random(5)
    assert [storyteller.generate(first) for _ in range(20)] == [storyteller.generate(second) for _ in range(20)]

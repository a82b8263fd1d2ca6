"""Pairs of talk: each has the fault that its kind names, in any order, and what is held out is no other pair's topic."""

from __future__ import annotations

import random
from collections import Counter

from tidepool_model.data import chat_format
from tidepool_model.posttraining import talk_pairs
from tidepool_model.posttraining.preferences import read_preferences, write_preferences
from tidepool_model.posttraining.talk_pairs import ANOTHER, BREAKS_OFF, FORGETS, MARKUP, RULES, Turn, draw_turn, has_fault, split_by_source, talk_pair

TURN = Turn("fact", "fact: water", ({"role": "user", "content": "When does water boil?"},), "Water boils at 100 degrees. That is hot.", "A small fact.")


def said(text: str) -> str:
    return text.rpartition(f"{chat_format.END_THINK}\n")[2]


def test_every_rule_makes_pairs_that_show_its_fault(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = talk_pairs.talk_pairs(300, 3)
    assert Counter(pair.domain for _, pair in found) == {kind: 50 for kind in RULES}
    for _, pair in found:
        better, worse = said(pair.chosen), said(pair.rejected)
        assert better != worse and has_fault(pair.domain, better, worse), (pair.domain, better, worse)
        # The rule is no rule of length or form that a real reply breaks as well.
        assert pair.domain in (ANOTHER, FORGETS) or not has_fault(pair.domain, better, better)
        assert pair.context[-1]["role"] == "user" and pair.chosen.count(chat_format.END_THINK) == pair.rejected.count(chat_format.END_THINK) <= 1
    assert 100 < sum(pair.preference < 0 for _, pair in found) < 200  # no place is the better one's
    assert any(len(pair.context) > 2 for _, pair in found)
    write_preferences(tmp_path / "talk.jsonl", [pair for _, pair in found])
    assert read_preferences(tmp_path / "talk.jsonl") == ([pair for _, pair in found], [])


def test_what_is_recalled_is_replaced_by_what_nobody_said() -> None:
    rng = random.Random(4)
    for _ in range(30):
        turn = draw_turn(rng, "recall")
        pair = talk_pair(turn, FORGETS, rng)
        if pair is not None:
            (other,) = [a for a, b in zip(said(pair.rejected).split(), turn.reply.split(), strict=True) if a != b]
            assert other.strip(".").lower() not in " ".join(message["content"] for message in turn.context).lower().split()
            return
    raise AssertionError("no pair was made")


def test_a_rule_without_a_place_makes_nothing() -> None:
    rng = random.Random(5)
    assert talk_pair(TURN, FORGETS, rng) is None  # nothing is recalled
    assert talk_pair(Turn("topic", "topic: x", TURN.context, "Yes.", None), BREAKS_OFF, rng) is None
    assert talk_pair(Turn("topic", "topic: x", TURN.context, ":)", None), MARKUP, rng) is None
    assert not has_fault(BREAKS_OFF, TURN.reply, "Water boils at 100 degrees.")  # ends its sentence


def test_held_out_pairs_are_on_other_things() -> None:
    found = talk_pairs.talk_pairs(240, 6)
    taught, held = split_by_source(found, 0.2, random.Random(1))
    assert len(taught) + len(held) == 240 and 30 <= len(held) <= 48
    source_of = {id(pair): source for source, pair in found}
    assert {source_of[id(pair)] for pair in taught}.isdisjoint(source_of[id(pair)] for pair in held)

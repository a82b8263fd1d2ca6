"""How each kind of pair was ranked, in words: what a card says of the pairs that a reward head was fitted on."""

from __future__ import annotations

from . import ruled_pairs, talk_pairs

WRONG, NOT_IN_FORM = "sampled, wrong", "sampled, not in form"
RULES = {
    WRONG: "a sampled reply that the family's check calls right before one that it calls wrong",
    NOT_IN_FORM: "a sampled reply that is right before one without an end or with an open thought",
} | ruled_pairs.RULES | talk_pairs.RULES
OTHERS = "ranked by the file that they came from"

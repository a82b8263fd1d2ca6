"""Tokens with which a line or a sentence of a thought ends: where a soft limit closes it, as src/core/budget does in the app."""

from __future__ import annotations

import re

from tokenizers import Tokenizer

LINE_OR_SENTENCE = re.compile(r"(\n|[.!?…]['\")\]]*)\s*$")


def boundary_tokens(tokenizer: Tokenizer) -> set[int]:
    """Ids of the tokens after which a thought may be closed."""
    return {index for index in tokenizer.get_vocab().values() if LINE_OR_SENTENCE.search(tokenizer.decode([index]) or " ")}

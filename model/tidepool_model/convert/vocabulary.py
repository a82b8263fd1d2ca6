"""Keeps the rows of a vocabulary that English text uses: counts tokens, keeps the commonest and all that they are merged from.

A byte-level BPE with fewer merges still writes any text, rare words in more pieces. The recipe's own control tokens take the
first ids, in the order of the chat format.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from .gguf import build_tokenizer


@dataclass(frozen=True)
class KeptVocabulary:
    """`rows[i]` is the base model's row of kept token i, or -1 for a control token that it did not have."""

    tokenizer: Tokenizer
    rows: list[int]


def count_tokens(tokenizer: Tokenizer, texts: Iterable[tuple[str, float]]) -> Counter[int]:
    """Weighted counts of token ids over (text, weight)."""
    counts: Counter[int] = Counter()
    batch: list[str] = []
    weights: list[float] = []

    def flush() -> None:
        for encoding, weight in zip(tokenizer.encode_batch_fast(batch), weights):
            for index in encoding.ids:
                counts[index] += weight
        batch.clear()
        weights.clear()

    for text, weight in texts:
        batch.append(text)
        weights.append(weight)
        if len(batch) == 256:
            flush()
    flush()
    return counts


def keep_vocabulary(tokenizer: Tokenizer, counts: Counter[int], size: int, control: list[str]) -> KeptVocabulary:
    """A tokenizer of `size` tokens: control tokens, all single bytes, then by count with everything they are merged from."""
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary: dict[str, int] = model["vocab"]
    merges = [tuple(pair) for pair in model["merges"]]
    made_by: dict[str, tuple[str, str]] = {}
    for left, right in merges:
        made_by.setdefault(left + right, (left, right))
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    kept: set[str] = {word for word in vocabulary if word not in special and word not in made_by}  # single bytes
    room = size - len(control)
    names = {index: word for word, index in vocabulary.items()}

    def closure(word: str) -> set[str]:
        needed: set[str] = set()
        waiting = [word]
        while waiting:
            word = waiting.pop()
            if word in kept or word in needed:
                continue
            needed.add(word)
            waiting.extend(made_by[word])
        return needed

    ranked = [names[index] for index, _ in counts.most_common()]
    ranked += [word for word in sorted(vocabulary, key=lambda word: vocabulary[word]) if vocabulary[word] not in counts]
    for word in ranked:
        if word in special:
            continue
        needed = closure(word)
        if len(kept) + len(needed) <= room:
            kept |= needed
        if len(kept) == room:
            break
    ordered = sorted(kept, key=lambda word: vocabulary[word])
    new_ids = {word: index for index, word in enumerate(control + ordered)}
    new_merges = [(a, b) for a, b in merges if a in kept and b in kept and a + b in kept]
    rows = [vocabulary.get(word, -1) for word in control + ordered]
    return KeptVocabulary(build_tokenizer(new_ids, new_merges, control), rows)


def cut_embedding(embedding: torch.Tensor, rows: list[int], like: dict[int, list[int]]) -> torch.Tensor:
    """Rows of the base embedding (vocab, hidden) for the kept tokens; a new token begins as the mean of the rows `like` names."""
    kept = torch.empty(len(rows), embedding.shape[1])
    for new, old in enumerate(rows):
        kept[new] = embedding[old] if old >= 0 else embedding[like[new]].mean(0) if new in like else embedding.mean(0)
    return kept


def rows_of(kept: Tokenizer, base: Tokenizer) -> list[int]:
    """The base model's row of each kept token, -1 for control tokens; the control tokens come first."""
    control = {token.content for token in kept.get_added_tokens_decoder().values()}
    names = sorted(kept.get_vocab().items(), key=lambda pair: pair[1])
    return [-1 if word in control and base.token_to_id(word) is None else base.token_to_id(word) for word, _ in names]


def like_their_letters(kept: Tokenizer, base: Tokenizer, rows: list[int]) -> dict[int, list[int]]:
    """For each token that the base model lacks, the rows of the pieces it is written with there."""
    return {new: base.encode(kept.id_to_token(new), add_special_tokens=False).ids for new, old in enumerate(rows) if old < 0}

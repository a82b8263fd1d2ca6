"""Rows that Lagoon is taught on: what is taught packed into rows, replies of the base model in both chat forms, plain and long text.

Owns how documents of mix.py's files become rows; drawn without end, each process in its own order. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from .vocabulary import many_names, places, things

ROW = 512
LONG_ROW = 2048
BASE_ROW = 640  # the base model's chat form is a little longer
PAD = 1
UNTRAINED = -100
COMPARED = 192  # positions of a row of text at which both models' logits are held against each other


@dataclass
class TaughtRow:
    tokens: Tensor  # (1, ROW)
    targets: Tensor  # (1, ROW), UNTRAINED where nothing counts
    starts: Tensor  # (1, ROW) bool


@dataclass
class ComparedRow:
    """The same words for both models, and the positions whose next token is compared."""

    tokens: Tensor  # (1, length)
    starts: Tensor  # (1, length) bool
    at: Tensor  # (n,)
    base_tokens: Tensor  # (1, base length)
    base_starts: Tensor
    base_at: Tensor  # (n,)


def documents(archive: np.lib.npyio.NpzFile, values: str, offsets: str) -> list[np.ndarray]:
    at = archive[offsets]
    whole = archive[values]
    return [whole[a:b] for a, b in zip(at[:-1], at[1:], strict=True)]


class Rows:
    """Draws rows; `data` is what mix.py wrote, `plain` rows of text of ROW + 1 tokens or more (data/lagoon/rows.py)."""

    def __init__(self, data: Path, plain: Path, tokenizer: Path, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        taught = np.load(data / "taught.npz")
        self.ids, self.masks = documents(taught, "ids", "offsets"), documents(taught, "masks", "offsets")
        kept = np.load(data / "kept.npz")
        self.kept = list(zip(*(documents(kept, f"{part}_values", f"{part}_offsets") for part in ("ours", "base", "reply")), strict=True))
        self.plain = np.load(plain, mmap_mode="r")
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.orders: dict[str, list[int]] = {"taught": [], "kept": []}

    def draw(self, name: str, size: int) -> int:
        order = self.orders[name]
        if not order:
            order.extend(self.random.permutation(size).tolist())
        return order.pop()

    def taught(self) -> TaughtRow:
        """Documents one after the other, with their loss masks."""
        tokens, targets = np.full(ROW + 1, PAD), np.full(ROW + 1, UNTRAINED)
        starts = np.zeros(ROW, bool)
        at = 0
        while True:
            index = self.draw("taught", len(self.ids))
            ids, mask = self.ids[index].astype(np.int64), self.masks[index]
            if at + len(ids) > ROW:
                if at < ROW - 150:
                    continue  # room for a shorter one
                break
            tokens[at : at + len(ids)] = ids
            targets[at : at + len(ids)] = np.where(mask == 1, ids, UNTRAINED)
            targets[at] = UNTRAINED
            starts[at] = True
            at += len(ids)
        if at < ROW:
            starts[at] = True
        return TaughtRow(_row(tokens[:ROW]), _row(targets[1:]), torch.from_numpy(starts)[None])

    def kept_replies(self) -> ComparedRow:
        """Replies of the base model, behind Lagoon's prompt and behind its own."""
        tokens, base = np.full(ROW, PAD), np.full(BASE_ROW, PAD)
        starts, base_starts = np.zeros(ROW, bool), np.zeros(BASE_ROW, bool)
        where: list[int] = []
        base_where: list[int] = []
        at = base_at = 0
        for _ in range(40):
            ours, bases, reply = self.kept[self.draw("kept", len(self.kept))]
            if at + len(ours) + len(reply) > ROW or base_at + len(bases) + len(reply) > BASE_ROW:
                if at > ROW - 120:
                    break
                continue
            for row, mark, prompt, start, found in ((tokens, starts, ours, at, where), (base, base_starts, bases, base_at, base_where)):
                mark[start] = True
                row[start : start + len(prompt)] = prompt
                row[start + len(prompt) : start + len(prompt) + len(reply)] = reply
                found.extend(range(start + len(prompt) - 1, start + len(prompt) + len(reply) - 1))
            at += len(ours) + len(reply)
            base_at += len(bases) + len(reply)
        if at < ROW:
            starts[at] = True
        if base_at < BASE_ROW:
            base_starts[base_at] = True
        return ComparedRow(_row(tokens), torch.from_numpy(starts)[None], torch.tensor(where), _row(base), torch.from_numpy(base_starts)[None], torch.tensor(base_where))

    def text(self) -> ComparedRow:
        """A row of plain text, compared at some of its positions."""
        return self._same(self.plain[self.random.integers(len(self.plain))][:ROW], np.zeros(0, np.int64))

    def far(self) -> ComparedRow:
        """A long row: who keeps what where, other text, and the question at the end, whose answer is compared whole."""
        rng = Random(int(self.random.integers(2**32)))
        name, thing, place = rng.choice(many_names()), rng.choice(things()), rng.choice(places())
        encode = lambda text: self.tokenizer.encode(text, add_special_tokens=False).ids
        said = encode(f" {name} keeps the {thing} in the {place}. ")
        asked = encode(f"\nQuestion: Where does {name} keep the {thing}?\nAnswer:")
        answer = encode(f" {name} keeps the {thing} in the {place}.\n")
        room = LONG_ROW - len(said) - len(asked) - len(answer)
        filler = np.concatenate([self.plain[self.random.integers(len(self.plain))][:ROW] for _ in range(5)])[:room]
        before = int(self.random.integers(0, room - 200))
        row = np.concatenate([filler[:before], said, filler[before:], asked, answer])
        return self._same(row, np.arange(len(row) - len(answer) - 1, len(row) - 1))

    def _same(self, row: np.ndarray, always: np.ndarray) -> ComparedRow:
        """The same tokens for both models, compared at `always` and as many other positions as there is room for."""
        others = np.setdiff1d(np.arange(len(row)), always)
        at = torch.from_numpy(np.sort(np.concatenate([always, self.random.choice(others, min(COMPARED, len(row)) - len(always), replace=False)])))
        starts = torch.zeros(1, len(row), dtype=torch.bool)
        starts[:, 0] = True
        tokens = _row(row)
        return ComparedRow(tokens, starts, at, tokens, starts, at)


def _row(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values).astype(np.int64))[None]

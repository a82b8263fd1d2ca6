"""Rows of equal length from documents: best-fit packing over the memory-mapped files that build.py writes.

A document longer than a row goes on at the start of the next batch's same row (`Batch.carries`), where the trainer hands
the Mamba states on.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

IGNORED = -100  # torch's ignore_index
NOTHING_AVOIDED = 0xFFFF  # in a stage's avoid.bin: any token may stand here


class DataError(RuntimeError):
    """Packed data that is missing or broken; the message names the file and the command that makes it."""


@dataclass
class Batch:
    tokens: Tensor  # (rows, length) int64
    targets: Tensor  # (rows, length) int64, the next token where it counts, else IGNORED
    starts: Tensor  # (rows, length) bool, first tokens of documents
    weights: Tensor | None = None  # (rows, length), how much each target counts; None: all alike
    carries: Tensor | None = None  # (rows,) bool, the row goes on where the last batch's same row ended; None: none ever does
    avoided: Tensor | None = None  # (rows, length) int64, a token that shall not come next, else IGNORED; None: there is none


@dataclass(frozen=True)
class Piece:
    """A part of one document: `size` tokens from its token `offset` on."""

    document: int
    offset: int
    size: int


class PackedStage:
    """Documents of one stage (`pretrain`, `sft`, `held_out`) and endless or single passes over them as rows."""

    def __init__(self, folder: Path, stage: str) -> None:
        for suffix in ("tokens", "mask", "docs"):
            path = folder / f"{stage}.{suffix}.bin"
            if not path.exists():
                raise DataError(f"{path} is missing; make it with `python -m tidepool_model.data.build --out {folder}`")
        self.tokens = np.memmap(folder / f"{stage}.tokens.bin", np.uint16, "r")
        self.mask = np.memmap(folder / f"{stage}.mask.bin", np.uint8, "r")
        avoid = folder / f"{stage}.avoid.bin"  # only where the stage's maker names tokens to avoid
        self.avoid = np.memmap(avoid, np.uint16, "r") if avoid.exists() else None
        starts = np.fromfile(folder / f"{stage}.docs.bin", np.uint32).astype(np.int64)
        if len(self.tokens) != len(self.mask) or (len(starts) and starts[-1] >= len(self.tokens)):
            raise DataError(
                f"{folder}/{stage}.*: {len(self.tokens)} tokens, {len(self.mask)} mask bytes and a last document at "
                f"{starts[-1] if len(starts) else 'none'} do not fit together; make the data again"
            )
        self.starts = starts
        self.ends = np.append(starts[1:], len(self.tokens))

    @property
    def longest(self) -> int:
        """Tokens of the longest document."""
        return int((self.ends - self.starts).max()) if len(self.starts) else 0

    def chains(self, length: int, seed: int) -> Iterator[list[list[Piece]]]:
        """One pass: rows that belong one after the other, since a document longer than `length` runs through them."""
        for row in self.rows(length, seed):
            first = row[0]
            size = int(self.ends[first] - self.starts[first])
            whole = [[Piece(first, at, min(length, size - at))] for at in range(0, size, length)]
            whole[-1] += [Piece(document, 0, int(self.ends[document] - self.starts[document])) for document in row[1:]]
            yield whole

    def rows(self, length: int, seed: int, buffer: int = 512) -> Iterator[list[int]]:
        """One pass in shuffled order: lists of document indices that fill a row of `length` tokens, best fit first.

        Of a document longer than a row only the end shares a row with others; it stands first there.
        """
        order = np.random.default_rng(seed).permutation(len(self.starts))
        waiting: list[tuple[int, int]] = []  # (tokens, document), sorted
        taken = 0
        while taken < len(order) or waiting:
            while taken < len(order) and len(waiting) < buffer:
                document = int(order[taken])
                size = int(self.ends[document] - self.starts[document])
                if size > length:
                    insort(waiting, (length + 1 + (size - 1) % length, document))
                else:
                    insort(waiting, (size, document))
                taken += 1
            row, room = [], length
            # The row opens with a random document, not the longest, so that lengths mix over the pass.
            pick = (taken * 2654435761 + len(waiting)) % len(waiting)
            while waiting:
                size, document = waiting.pop(pick)
                row.append(document)
                room -= size if size <= length else size - length
                pick = bisect_right(waiting, (room, 1 << 62)) - 1
                if pick < 0:
                    break
            yield row

    def batch(self, rows: list[list[Piece]], length: int) -> Batch:
        """Tensors (len(rows), length) of packed rows."""
        tokens = np.zeros((len(rows), length), np.int64)
        targets = np.full((len(rows), length), IGNORED, np.int64)
        starts = np.zeros((len(rows), length), bool)
        avoided = None if self.avoid is None else np.full((len(rows), length), IGNORED, np.int64)
        for r, row in enumerate(rows):
            at = 0
            for piece in row:
                size = piece.size
                first = self.starts[piece.document] + piece.offset
                after = min(first + size + 1, self.ends[piece.document])  # the next piece's first token is a target too
                ids = self.tokens[first:after].astype(np.int64)
                counts = self.mask[first:after]
                tokens[r, at : at + size] = ids[:size]
                targets[r, at : at + len(ids) - 1] = np.where(counts[1:], ids[1:], IGNORED)
                if avoided is not None and self.avoid is not None:
                    named = self.avoid[first:after].astype(np.int64)[1:]
                    avoided[r, at : at + len(named)] = np.where(named == NOTHING_AVOIDED, IGNORED, named)
                starts[r, at] = piece.offset == 0
                at += size
            if at < length:
                starts[r, at] = True  # padding is a document of its own, with no targets
        carries = torch.tensor([row[0].offset > 0 for row in rows]) if self.longest > length else None
        named = None if avoided is None else torch.from_numpy(avoided)
        return Batch(torch.from_numpy(tokens), torch.from_numpy(targets), torch.from_numpy(starts), carries=carries, avoided=named)

    def batches(self, rows_per_batch: int, length: int, seed: int, skip: int = 0) -> Iterator[Batch]:
        """Endless batches, a new shuffle each pass; `skip` batches are passed over without reading (resume)."""
        chains = (chain for epoch in count() for chain in self.chains(length, seed + epoch))
        slots: list[list[list[Piece]]] = [[] for _ in range(rows_per_batch)]  # what is still to come of each row's chain
        for index in count():
            for slot in slots:
                if not slot:
                    slot += next(chains)
            rows = [slot.pop(0) for slot in slots]
            if index >= skip:
                yield self.batch(rows, length)

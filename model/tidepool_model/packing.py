"""Rows of equal length from documents: best-fit packing over the memory-mapped files that data.py writes."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

IGNORED = -100  # torch's ignore_index


class DataError(RuntimeError):
    """Packed data that is missing or broken; the message names the file and the command that makes it."""


@dataclass
class Batch:
    tokens: Tensor  # (rows, length) int64
    targets: Tensor  # (rows, length) int64, the next token where it counts, else IGNORED
    starts: Tensor  # (rows, length) bool, first tokens of documents
    weights: Tensor | None = None  # (rows, length), how much each target counts; None: all alike


class PackedStage:
    """Documents of one stage (`pretrain`, `sft`, `held_out`) and endless or single passes over them as rows."""

    def __init__(self, folder: Path, stage: str) -> None:
        for suffix in ("tokens", "mask", "docs"):
            path = folder / f"{stage}.{suffix}.bin"
            if not path.exists():
                raise DataError(f"{path} is missing; make it with `python -m tidepool_model.data --out {folder}`")
        self.tokens = np.memmap(folder / f"{stage}.tokens.bin", np.uint16, "r")
        self.mask = np.memmap(folder / f"{stage}.mask.bin", np.uint8, "r")
        starts = np.fromfile(folder / f"{stage}.docs.bin", np.uint32).astype(np.int64)
        if len(self.tokens) != len(self.mask) or (len(starts) and starts[-1] >= len(self.tokens)):
            raise DataError(
                f"{folder}/{stage}.*: {len(self.tokens)} tokens, {len(self.mask)} mask bytes and a last document at "
                f"{starts[-1] if len(starts) else 'none'} do not fit together; make the data again"
            )
        self.starts = starts
        self.ends = np.append(starts[1:], len(self.tokens))

    def rows(self, length: int, seed: int, buffer: int = 512) -> Iterator[list[int]]:
        """One pass in shuffled order: lists of document indices that fill a row of `length` tokens, best fit first."""
        order = np.random.default_rng(seed).permutation(len(self.starts))
        waiting: list[tuple[int, int]] = []  # (tokens, document), sorted
        taken = 0
        while taken < len(order) or waiting:
            while taken < len(order) and len(waiting) < buffer:
                document = int(order[taken])
                insort(waiting, (min(length, int(self.ends[document] - self.starts[document])), document))
                taken += 1
            row, room = [], length
            # The row opens with a random document, not the longest, so that lengths mix over the pass.
            pick = (taken * 2654435761 + len(waiting)) % len(waiting)
            while waiting:
                size, document = waiting.pop(pick)
                row.append(document)
                room -= size
                pick = bisect_right(waiting, (room, 1 << 62)) - 1
                if pick < 0:
                    break
            yield row

    def batch(self, rows: list[list[int]], length: int) -> Batch:
        """Tensors (len(rows), length) of packed rows."""
        tokens = np.zeros((len(rows), length), np.int64)
        targets = np.full((len(rows), length), IGNORED, np.int64)
        starts = np.zeros((len(rows), length), bool)
        for r, row in enumerate(rows):
            at = 0
            for document in row:
                first = self.starts[document]
                size = int(min(length, self.ends[document] - first))
                ids = self.tokens[first : first + size].astype(np.int64)
                counts = self.mask[first : first + size]
                tokens[r, at : at + size] = ids
                targets[r, at : at + size - 1] = np.where(counts[1:], ids[1:], IGNORED)
                starts[r, at] = True
                at += size
            if at < length:
                starts[r, at] = True  # padding is a document of its own, with no targets
        return Batch(torch.from_numpy(tokens), torch.from_numpy(targets), torch.from_numpy(starts))

    def batches(self, rows_per_batch: int, length: int, seed: int, skip: int = 0) -> Iterator[Batch]:
        """Endless batches, a new shuffle each pass; `skip` batches are passed over without reading (resume)."""
        epoch, pending, index = 0, [], 0
        while True:
            for row in self.rows(length, seed + epoch):
                pending.append(row)
                if len(pending) == rows_per_batch:
                    if index >= skip:
                        yield self.batch(pending, length)
                    pending, index = [], index + 1
            epoch += 1

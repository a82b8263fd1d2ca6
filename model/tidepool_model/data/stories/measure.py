"""How varied the generated stories are beside TinyStories: distinct n-grams over all n-grams, for as many words of each.

    python -m tidepool_model.data.stories.measure [--stories 1000] [--seed 11] [--corpora CORPORA]
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

from .. import corpora
from . import storyteller

SIZES = (2, 3, 4, 5)


def distinct(texts: Sequence[str], n: int, words: int | None = None) -> float:
    """Distinct word n-grams over all word n-grams of the texts, of their first `words` words if given."""
    grams: set[tuple[str, ...]] = set()
    counted, left = 0, words
    for text in texts:
        found = re.findall(r"[a-z']+", text.lower())[:left]
        if left is not None:
            left -= len(found)
        of_text = list(zip(*(found[at:] for at in range(n)), strict=False))
        grams.update(of_text)
        counted += len(of_text)
    return len(grams) / max(1, counted)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--corpora", type=Path, default=os.environ.get("TIDEPOOL_CORPORA"), help="left out: generated stories alone")
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    texts = {"generated": [storyteller.generate(rng).text for _ in range(options.stories)]}
    words = sum(len(re.findall(r"[a-z']+", text.lower())) for text in texts["generated"])
    if options.corpora:
        try:
            found = corpora.open_checked(Path(options.corpora) / "tinystories/stories.txt")
        except FileNotFoundError as error:
            raise SystemExit(f"error: {error}") from error
        texts["TinyStories"] = [story for story in found.split("<|endoftext|>") if story.strip()]
    print(f"{options.stories} stories, {words:,} words; distinct n-grams / all, n = {', '.join(map(str, SIZES))}")
    for name, sample in texts.items():
        print(f"{name:12s} " + "  ".join(f"{distinct(sample, n, words):.2f}" for n in SIZES))


if __name__ == "__main__":
    main()

"""Texts that the conversion reads: weighted ones to choose the vocabulary by, and rows of tokens to distil on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from ..corpora import open_checked

ROW = 513  # 512 tokens and the last one's successor
LONGEST = 1500  # tokens of one document
HELD_OUT_ROWS = 16
BASE_SYSTEM = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"


def documents(path: Path) -> list[str]:
    return [text.strip() for text in open_checked(path).split("<|endoftext|>") if text.strip()]


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in open_checked(path).splitlines() if line.strip()]


def weighted_texts(folder: Path) -> Iterator[tuple[str, float]]:
    """(text, weight): simple and factual English counts more than novels and booking dialogues."""
    for file, weight in (
        ("tinystories/stories.txt", 3), ("fairytaleqa/stories.txt", 1), ("childlit/childlit_simpler.txt", 0.5), ("childlit/childlit_harder.txt", 0.3),
        ("pd_novels_simple/passages.txt", 0.5), ("onestop_english/elementary.txt", 8), ("onestop_english/intermediate.txt", 8),
    ):  # fmt: skip
        yield from ((text, weight) for text in documents(folder / file))
    lines = open_checked(folder / "tatoeba/sentences.txt").splitlines()
    yield from ((" ".join(lines[at : at + 50]), 3) for at in range(0, len(lines), 50))
    for name, weight in (("sgd_dialogues", 0.3), ("synthetic_persona_chat", 2), ("topical_chat", 3), ("taskmaster4_coffee", 1)):
        yield from (("\n".join(m["content"] for m in row["messages"]), weight) for row in read_rows(folder / name / "dialogues.jsonl"))
    yield from ((f"{row['question']}\n{row['steps_plain']}", 3) for row in read_rows(folder / "gsm8k/train.jsonl"))
    for name in ("arc_easy_train", "openbookqa_train", "arc_challenge_train"):
        yield from ((f"{row['question']}\n " + "\n ".join(row["choices"]), 6) for row in read_rows(folder / f"arc_openbookqa/{name}.jsonl"))
    yield from ((f"{row['question']}\n " + "\n ".join(map(str, row["choices"])), 2) for row in read_rows(folder / "opentrivia/trivia.jsonl"))
    yield from ((f" {row['input']}\n {row['output']}", 2) for row in read_rows(folder / "function_vectors_tasks/tasks.jsonl"))
    yield from ((f" {row['word']}: {row['definition']} " + " ".join(row["examples"]), 3) for row in read_rows(folder / "wordnet/definitions.jsonl"))
    words = open_checked(folder / "vocab/simple_words.txt").split()
    yield from ((form, 5) for word in words for form in (f" {word}", word.capitalize(), f" {word.capitalize()}"))


def plain_texts(folder: Path, rng: random.Random) -> list[str]:
    """Stories, news in simple words, sentences, definitions, worked sums; shuffled."""
    texts: list[str] = []

    def add(found: list[str], most: int) -> None:
        rng.shuffle(found)
        texts.extend(found[:most])

    for file, most in (
        ("tinystories/stories.txt", 1000), ("onestop_english/elementary.txt", 150), ("onestop_english/intermediate.txt", 150),
        ("fairytaleqa/stories.txt", 40), ("childlit/childlit_simpler.txt", 2000), ("pd_novels_simple/passages.txt", 1500),
    ):  # fmt: skip
        add(documents(folder / file), most)
    lines = open_checked(folder / "tatoeba/sentences.txt").splitlines()
    rng.shuffle(lines)
    add(["\n".join(lines[at : at + 30]) for at in range(0, 6000, 30)], 200)
    add(["\n".join(f"{'AB'[i % 2]}: {m['content']}" for i, m in enumerate(row["messages"])) for row in read_rows(folder / "topical_chat/dialogues.jsonl")], 200)
    add([f"{row['word']} ({row['pos']}): {row['definition']}. " + " ".join(row["examples"]) for row in read_rows(folder / "wordnet/definitions.jsonl")], 2000)
    add([f"{row['question']}\n{row['steps_plain']}" for row in read_rows(folder / "gsm8k/train.jsonl")], 1500)
    rng.shuffle(texts)
    return texts


def chat_texts(folder: Path, rng: random.Random) -> list[str]:
    """Dialogues and questions with their answers in the base model's chat form; shuffled."""

    def turns(messages: list[dict]) -> str:
        return BASE_SYSTEM + "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)

    texts: list[str] = []
    for name, most in (("synthetic_persona_chat", 250), ("topical_chat", 350), ("sgd_dialogues", 300)):
        found = read_rows(folder / name / "dialogues.jsonl")
        rng.shuffle(found)
        texts += [turns(row["messages"]) for row in found[:most]]
    pairs = [(row["question"], row["answer"]) for name in ("arc_easy_train", "openbookqa_train") for row in read_rows(folder / f"arc_openbookqa/{name}.jsonl")]
    pairs += [(row["question"], str(row["answer"])) for row in read_rows(folder / "opentrivia/trivia.jsonl")]
    pairs += [(row["question"], row["steps_plain"]) for row in read_rows(folder / "gsm8k/train.jsonl")]
    rng.shuffle(pairs)
    texts += [turns([{"role": "user", "content": asked}, {"role": "assistant", "content": said}]) for asked, said in pairs[:3000]]
    rng.shuffle(texts)
    return texts


def pack(tokenizer: Tokenizer, texts: list[str], between: list[int], seed: int) -> np.ndarray:
    """Rows (n, 513) int32 of the texts one after the other, in a drawn order."""
    ids: list[int] = []
    for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
        ids += encoding.ids[:LONGEST] + between
    rows = len(ids) // ROW
    packed = np.array(ids[: rows * ROW], np.int32).reshape(rows, ROW)
    return packed[np.random.default_rng(seed).permutation(rows)]


def write_rows(tokenizer: Tokenizer, folder: Path, out: Path, seed: int = 1) -> None:
    """plain.npy, chat.npy and sixteen held-out rows of each."""
    rng = random.Random(seed)
    end = tokenizer.token_to_id("<|endoftext|>")
    for name, texts, between in (("plain", plain_texts(folder, rng), [end]), ("chat", chat_texts(folder, rng), [])):
        rows = pack(tokenizer, texts, between, 0)
        np.save(out / f"{name}_held.npy", rows[:HELD_OUT_ROWS])
        np.save(out / f"{name}.npy", rows[HELD_OUT_ROWS:])

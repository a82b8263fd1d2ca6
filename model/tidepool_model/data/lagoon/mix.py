"""The mix that Lagoon is taught: families under many names, reading, sums in words, talk, and replies of the base model.

    python -m tidepool_model.data.lagoon.mix --tokenizer DIR --corpora DIR --replies replies.jsonl --documents 20000 --seed 1 --out DIR

Writes taught.npz (documents with their loss masks, for cross-entropy) and kept.npz (prompts and replies of the base model,
for KL: the same reply in Lagoon's chat form and in the base's own). Questions that are measured are left out by their words.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from tasks import registry
from tasks.split import split_of

from .. import chat_format
from ..build import DIFFICULTIES, FAMILY_WEIGHTS, Cut, Encoder, Item, chat_item, drill_items, problem_messages, spelled_apart, story_request_items
from ..chats import conversation
from . import itself, knowledge, plain_sums, reading, sums
from .columns import laid_out
from .rows import BASE_SYSTEM, read_rows
from .vocabulary import widened

# Share of documents.
MIX = {
    "families": 0.70, "plain sums": 0.10, "knowledge": 0.03, "reading": 0.05, "sums": 0.02, "itself": 0.03, "tables": 0.02, "letters": 0.02, "drills": 0.02, "chains": 0.005, "stories": 0.0025, "talk": 0.0025,
}  # fmt: skip
BUDGETS = (("off", 0.12), ("sentence", 0.06), ("anywhere", 0.08), ("whole", 0.74))
DIFFICULTY_WEIGHTS = (0.30, 0.27, 0.22, 0.12, 0.09)
IN_CHAT = 0.08  # tasks that come after one or two other exchanges: these cost tokens without loss
# Topics of Tidepool's small talk that a model which knows more need not turn away, or has words of its own for.
LEFT_OUT_TOPICS = frozenset(("hard facts", "long work", "name", "where do you live", "made by", "how work", "mamba", "attention", "name Tidepool why", "weather", "live data", "time", "hello", "thanks", "bye", "how small", "how smart", "can do", "how are you", "how old", "other language"))


def normal(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def measured_questions(files: list[Path]) -> set[str]:
    """Every question of the evaluation sets, letters and digits only."""
    found: set[str] = set()
    for path in files:
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        else:
            raw = json.loads(path.read_text(encoding="utf-8"))
            rows = raw.get("questions", raw.get("problems", [])) if isinstance(raw, dict) else raw
        found.update(normal(str(row["question"])) for row in rows if "question" in row)
    return found


def family_items(rng: random.Random) -> Iterator[Item]:
    """Problems of the families with drawn budgets, renamed, some later in a chat."""
    families = list(registry.FAMILIES)
    names, weights = zip(*BUDGETS, strict=True)
    while True:
        family = rng.choices(families, weights=[FAMILY_WEIGHTS.get(f, 1.0) ** 0.5 for f in families])[0]
        difficulty = rng.choices(DIFFICULTIES, weights=DIFFICULTY_WEIGHTS)[0]
        problem = registry.sample(family, rng, difficulty, "train", "wide")
        if rng.random() < 0.85:
            problem = widened(problem, rng)
        budget = rng.choices(names, weights=weights)[0]
        cut: Cut = budget if budget in ("sentence", "anywhere") else "none"
        messages = [{k: v.replace("Tidepool", "Lagoon").replace("a tiny", "a small") if k == "content" and isinstance(v, str) else v for k, v in m.items()} for m in problem_messages(problem, budget != "off", rng)]
        messages = laid_out_in(messages)
        given = 0
        if rng.random() < IN_CHAT and not problem.tools:
            messages, given = others_before(messages, rng)
        item = chat_item(messages, f"family:{family}", problem.tools, cut, given)
        yield spelled_apart(item, problem.gold) if problem.canonical.startswith("reverse:") else item


def laid_out_in(messages: list[conversation.Message]) -> list[conversation.Message]:
    """The chat with the columns of its thoughts in Lagoon's form."""
    return [message | {"reasoning": laid_out(message["reasoning"])} if message.get("reasoning") else message for message in messages]


def others_before(messages: list[conversation.Message], rng: random.Random) -> tuple[list[conversation.Message], int]:
    """One or two exchanges that have nothing to do with what is asked then."""
    before: list[conversation.Message] = []
    count = rng.choice((1, 1, 2, 3))
    for _ in range(count):
        roll = rng.random()
        turn = itself.talk(rng) if roll < 0.3 else reading.read_and_ask(rng) if roll < 0.6 else conversation.unrelated(rng, 1)
        before += [{k: v for k, v in message.items() if k != "reasoning"} for message in turn]
    return [*before, *messages], count


def messages_items(rng: random.Random, make, source: str) -> Iterator[Item]:
    while True:
        yield chat_item(laid_out_in(make(rng)), source)


def chain(rng: random.Random) -> list[conversation.Message]:
    """Questions that lean on the one before."""
    return conversation.number_chain(rng) if rng.random() < 0.5 else conversation.fact_chain(rng)


def small_talk(rng: random.Random) -> list[conversation.Message]:
    """Tidepool's small talk on the topics that stay, in Lagoon's name."""
    from ..chats.topics import TOPICS

    topic = rng.choice([t for t in TOPICS if t.name not in LEFT_OUT_TOPICS])
    turn = conversation.topic_turn(rng, rng.random() < 0.5, topic.name)
    return [{k: re.sub(r"\b[Tt]iny\b", "small", v.replace("Tidepool", "Lagoon")) if isinstance(v, str) else v for k, v in m.items()} for m in turn]


VISITORS_WORDS = frozenset(("tree", "lamp", "banana", "quokka"))


def common_words(corpora: Path) -> list[str]:
    """Words of three to nine letters by WordNet's rank, without those that spelling's test side or a visitor asks about."""

    def is_free(word: str) -> bool:
        asked = [f"spell:{word}", f"reverse:{word}", *(f"letter:{at}:{word}" for at in range(1, len(word) + 1))]
        return word not in VISITORS_WORDS and all(split_of(canonical) == "train" for canonical in asked)

    rows = read_rows(corpora / "wordnet/definitions.jsonl")
    words = {row["word"] for row in rows if row["rank"] < 6000}
    return sorted(word for word in words if word.isalpha() and word.islower() and 3 <= len(word) <= 9 and is_free(word))


def streams(rng: random.Random, corpora: Path) -> dict[str, Iterator[Item]]:
    words = common_words(corpora)

    def sum_items() -> Iterator[Item]:
        for messages in sums.worked_problems(corpora, rng):
            yield chat_item(laid_out_in(messages), "sums")

    return {
        "families": family_items(rng),
        "reading": messages_items(rng, reading.read_and_ask, "reading"),
        "plain sums": messages_items(rng, plain_sums.ask, "plain sums"),
        "knowledge": (chat_item(messages, "knowledge") for messages in knowledge.Knowledge(corpora, rng).messages()),
        "tables": messages_items(rng, knowledge.table, "tables"),
        "letters": messages_items(rng, lambda rng: knowledge.letters(rng, words), "letters"),
        "sums": sum_items(),
        "itself": messages_items(rng, itself.talk, "itself"),
        "drills": drill_items(rng),
        "chains": messages_items(rng, chain, "chains"),
        "stories": story_request_items(rng),
        "talk": messages_items(rng, small_talk, "talk"),
    }


def shares(text: str) -> dict[str, float]:
    """MIX with other shares for some sources ("plain sums=0.3,sums=0.1"), made to sum to 1; ValueError for a source that is none."""
    mix = dict(MIX)
    for part in filter(None, text.split(",")):
        name, _, share = part.partition("=")
        if name not in mix:
            raise ValueError(f"The mix has no source {name!r}: name one of {', '.join(mix)}.")
        try:
            mix[name] = float(share)
        except ValueError:
            raise ValueError(f"{part!r} needs a share between 0 and 1, like {name}=0.3.") from None
        if not 0 <= mix[name] <= 1:
            raise ValueError(f"The share of {name!r} has to lie between 0 and 1, not at {mix[name]:g}.")
    total = sum(mix.values())
    if total == 0:
        raise ValueError("At least one source needs a share above 0.")
    return {name: share / total for name, share in mix.items()}


def taught(tokenizer: Tokenizer, corpora: Path, count: int, seed: int, measured: set[str], mix: dict[str, float] = MIX) -> tuple[list[np.ndarray], list[np.ndarray], Counter[str]]:
    """`count` documents: ids, masks (1 where the loss counts), tokens by source."""
    rng = random.Random(seed)
    sources = streams(rng, corpora)
    encoder = Encoder(tokenizer, random.Random(seed + 1))
    ids: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    tokens: Counter[str] = Counter()
    names, weights = zip(*mix.items(), strict=True)
    bar = tqdm(total=count, unit="doc")
    while len(ids) < count:
        items = [next(sources[name]) for name in rng.choices(names, weights=weights, k=64)]
        items = [item for item in items if not asks_measured(item, measured)]
        for piece, mask, source in encoder.encode(items, "sft"):
            ids.append(np.array(piece, np.uint16))
            masks.append(np.array(mask, np.uint8))
            tokens[source] += sum(mask)
        bar.update(min(count, len(ids)) - bar.n)
    return ids, masks, tokens


def asks_measured(item: Item, measured: set[str]) -> bool:
    """Whether a user's turn of the document is a measured question, word for word."""
    text = "".join(segment.text for segment in item.segments)
    return any(normal(turn) in measured for turn in re.findall(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", text, re.S))


THOUGHTS = ("I can answer this.", "The user asks {q}", "A question: {q}", "Let me answer that.", "I think of what I know.", "The user wants an answer in words.")


def kept(tokenizer: Tokenizer, replies: Path, rng: random.Random, measured: set[str]) -> list[tuple[list[int], list[int], list[int]]]:
    """(Lagoon's prompt, the base model's prompt, reply) for each reply of the base model that ends by itself or is long."""
    end = tokenizer.token_to_id(chat_format.IM_END)
    rows = []
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    for line in replies.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if normal(row["prompt"]) in measured or re.search(r"smollm|hugging", tokenizer.decode(row["reply"]), re.I):
            continue
        asked = f"<|im_start|>user\n{row['prompt']}<|im_end|>\n"
        own = f"<|im_start|>system\n<|im_end|>\n{asked}"
        if rng.random() < 0.5:
            ours = encode(own + chat_format.PROMPT_NO_THINKING)
        else:
            question = row["prompt"][:1].lower() + row["prompt"][1:].rstrip("?.! ") + "."
            ours = encode(own + chat_format.PROMPT_THINKING) + encode(rng.choice(THOUGHTS).format(q=question)) + encode("\n") + encode("</think>") + encode("\n")
        base = encode(BASE_SYSTEM + asked + "<|im_start|>assistant\n")
        reply = row["reply"][: row["reply"].index(end) + 1] if end in row["reply"] else row["reply"]
        rows.append((ours, base, reply))
    return rows


def flat(arrays: list[np.ndarray], dtype) -> dict[str, np.ndarray]:
    return {"values": np.concatenate(arrays).astype(dtype), "offsets": np.cumsum([0, *map(len, arrays)]).astype(np.int64)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--replies", type=Path)
    parser.add_argument("--measured", type=Path, nargs="*", default=[])
    parser.add_argument("--documents", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shares", default="", help='other shares of documents for some sources, like "plain sums=0.3,sums=0.1"')
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    try:
        mix = shares(args.shares)
    except ValueError as error:
        parser.error(str(error))
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    measured = measured_questions(args.measured)
    ids, masks, tokens = taught(tokenizer, args.corpora, args.documents, args.seed, measured, mix)
    a, b = flat(ids, np.uint16), flat(masks, np.uint8)
    np.savez(args.out / "taught.npz", ids=a["values"], masks=b["values"], offsets=a["offsets"])
    print(json.dumps({"documents": len(ids), "tokens": len(a["values"]), "trained": int(b["values"].sum()), "bySource": dict(tokens.most_common())}))
    if args.replies:
        rows = kept(tokenizer, args.replies, random.Random(args.seed), measured)
        parts = [flat([np.array(row[i]) for row in rows], np.uint16) for i in range(3)]
        np.savez(args.out / "kept.npz", **{f"{name}_{key}": part[key] for name, part in zip(("ours", "base", "reply"), parts, strict=True) for key in part})
        print(json.dumps({"replies": len(rows), "tokens": int(sum(len(row[2]) for row in rows))}))


if __name__ == "__main__":
    main()

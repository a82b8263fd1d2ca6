"""The base model's own replies to thousands of prompts: what ordinary chat is, for KL (nothing is taught from their words).

    python -m tidepool_model.data.lagoon.replies --base base.pt --tokenizer DIR --corpora DIR --out replies.jsonl --count 2500

Goes on where an earlier run stopped. Each line: {"prompt", "reply": tokens}.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from ...architecture.batch_decode import write_replies
from ...architecture.hybrid_checkpoint import load_base
from .rows import BASE_SYSTEM, read_rows

FORMS = (
    "What is {x}?", "Explain {x} to a child.", "Tell me about {x}.", "Tell me something interesting about {x}.", "Write one sentence with the word {x}.",
    "What do you know about {x}?", "Why is {x} important?", "Write a short story about {x}.", "Tell me a story about {x}.", "Write a poem about {x}.",
    "Give me three tips about {x}.", "List five things that have to do with {x}.", "Name three kinds of {x}.", "How does {x} work?", "Where can I find {x}?",
    "Describe {x} in two sentences.", "Give me an idea for a gift about {x}.", "Write a question about {x}.", "Ask me something about {x}.",
    "What can I do with {x}?", "Define {x}.",
)  # fmt: skip
FUNCTION_FORMS: dict[str, tuple[int, tuple[str, ...]]] = {
    "country-capital": (150, ("What is the capital of {x}?", "Which city is the capital of {x}?", "Name the capital city of {x}.")),
    "antonym": (120, ("What is the opposite of {x}?", 'Give me a word that means the opposite of "{x}".')),
    "synonym": (160, ("What is another word for {x}?", "Give me a synonym of {x}.", "What does {x} mean?")),
    "present-past": (40, ("What is the past tense of {x}?",)),
    "singular-plural": (40, ("What is the plural of {x}?",)),
    "country-currency": (60, ("What money is used in {x}?",)),
    "landmark-country": (80, ("Where is {x}?", "In which country is {x}?")),
}
EVERYDAY = (
    "How do I make tea?|How can I sleep better?|What should I cook tonight?|Give me a recipe for pancakes.|How do I learn to swim?|How do I stay healthy?|"
    "Write an email to my teacher that I am sick.|Fix this sentence: he go to school yesterday.|Give me a name for my cat.|What are the colours of the rainbow?|"
    "What is the largest planet?|What is water made of?|Why is the sky blue?|Why do we dream?|What causes rain?|How do plants grow?|What is a verb?|"
    "What is the speed of light?|What is the tallest mountain?|How far is the moon?|What is gravity?|What is a volcano?|Explain photosynthesis.|"
    "How does a computer work?|What is a neural network?|How do airplanes fly?|What is money?|Give me three animals that can fly.|Name four vegetables.|"
    "What sounds does a cow make?|How many legs has a spider?|Write a limerick.|Tell me a joke.|Tell me a riddle.|I am sad today.|I had a great day!|I am bored.|"
    "Can you help me with my homework?|My friend is angry with me. What should I do?|How do I say sorry?|What is a good book for children?|Which sport is the best?|"
    "Should I get a dog or a cat?|How do I save money?|Plan a birthday party for a six year old.|Summarise the story of Cinderella.|What is a good breakfast?|"
    "How do I tie a knot?|Write a thank you note.|What is the difference between a frog and a toad?|What is the difference between weather and climate?|"
    "Explain what a bank does.|Why do cats purr?|How long does it take to boil an egg?|What is the boiling point of water?|Correct the spelling: freind.|"
    "What is the first month of the year?|What is a prime number?|Give me a motivational quote.|Describe a forest at night.|Describe your perfect day.|"
    "How do I write a poem?|Give me an example of a metaphor."
).split("|")  # fmt: skip


def prompts(folder: Path, rng: random.Random) -> list[str]:
    """Questions of the corpora's training files and of our own forms, shuffled, each once."""
    found: list[str] = []

    def some(asked: list[str], most: int) -> None:
        rng.shuffle(asked)
        found.extend(asked[:most])

    for name, most in (("arc_easy_train", 450), ("openbookqa_train", 250)):
        some([q for row in read_rows(folder / f"arc_openbookqa/{name}.jsonl") if (q := row["question"].strip()).endswith("?") and len(q) < 160], most)
    some(
        [
            q
            for row in read_rows(folder / "opentrivia/trivia.jsonl")
            if (q := row["question"].strip()).endswith("?") and len(q) < 100 and not any(w in q.lower() for w in ("which of these", "following", "these "))
        ],
        600,
    )
    functions = read_rows(folder / "function_vectors_tasks/tasks.jsonl")
    for task, (most, forms) in FUNCTION_FORMS.items():
        some([rng.choice(forms).format(x=row["input"]) for row in functions if row["task"] == task], most)
    nouns = {row["word"] for row in read_rows(folder / "wordnet/definitions.jsonl") if row["pos"] == "noun" and row["rank"] < 3000 and len(row["word"]) > 3 and row["word"].isalpha()}
    some([rng.choice(FORMS).format(x=word) for word in sorted(nouns)], 1100)
    opened = [row["messages"][0]["content"] for name in ("topical_chat", "synthetic_persona_chat") for row in read_rows(folder / name / "dialogues.jsonl")]
    some([text for text in opened if 8 < len(text) < 160], 500)
    found = list(dict.fromkeys([*found, *EVERYDAY]))
    rng.shuffle(found)
    return found


def answered(path: Path) -> set[str]:
    """Prompts that stand in the file already; a last line that was cut short is taken away."""
    if not path.exists():
        return set()
    whole = [line for line in path.read_text(encoding="utf-8").split("\n") if line.endswith("}")]
    path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return {json.loads(line)["prompt"] for line in whole}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2500)
    parser.add_argument("--longest", type=int, default=110, help="tokens of a reply")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    base = load_base(args.base)
    done = answered(args.out)
    asked = [prompt for prompt in prompts(args.corpora, random.Random(args.seed)) if prompt not in done][: max(0, args.count - len(done))]
    encoded = [tokenizer.encode(f"{BASE_SYSTEM}<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n", add_special_tokens=False).ids for prompt in asked]
    stop = {tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>")}
    began, tokens = time.time(), 0
    with args.out.open("a", encoding="utf-8") as out:
        for number, (index, reply) in enumerate(write_replies(base, encoded, args.longest, stop, 96, args.temperature)):
            out.write(json.dumps({"prompt": asked[index], "reply": reply}) + "\n")
            tokens += len(reply)
            if number % 100 == 99:
                out.flush()
                print(f"{number + 1} of {len(asked)}, {tokens / (time.time() - began):.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()

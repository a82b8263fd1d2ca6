"""The data builder: masks by hand, cuts, files, determinism, split purity, refusals."""

from __future__ import annotations

import itertools
import json
import random

import numpy as np
import pytest

from tasks import drills, registry
from tasks.split import split_of
from tidepool_model.data import build, chat_format, corpora, tokenizer as tk
from tidepool_model.data.chats import conversation


@pytest.fixture(scope="module")
def tokenizer():
    return tk.load()


@pytest.fixture()
def sampled(monkeypatch) -> list[str]:
    """The canonical form of each problem that is sampled while the test runs."""
    seen = []
    sample = registry.sample

    def spy(*args, **kwargs):
        problem = sample(*args, **kwargs)
        seen.append(problem.canonical)
        return problem

    monkeypatch.setattr(registry, "sample", spy)
    return seen


def encode(tokenizer, item: build.Item, stage: str = "sft", seed: int = 1) -> list[tuple[str, int]]:
    """Tokens as text with their mask."""
    (ids, mask, _), = build.Encoder(tokenizer, random.Random(seed)).encode([item], stage)
    return [(tokenizer.decode([i], skip_special_tokens=False), m) for i, m in zip(ids, mask, strict=True)]


def trained_text(pairs: list[tuple[str, int]]) -> str:
    return "".join(t for t, m in pairs if m)


MESSAGES = [
    {"role": "user", "content": "2 + 2?"},
    {"role": "assistant", "content": "It is 4.", "reasoning": "2 + 2 = 4.\nSo it is 4."},
]


def test_mask_of_a_whole_thought(tokenizer):
    pairs = encode(tokenizer, build.chat_item(MESSAGES, "x"))
    assert trained_text(pairs) == "2 + 2 = 4.\nSo it is 4.\n</think>\nIt is 4.<|im_end|>"
    assert "".join(t for t, _ in pairs) == chat_format.render(MESSAGES)


def test_mask_without_thinking_and_in_past_turns(tokenizer):
    messages = [*MESSAGES, {"role": "user", "content": "thanks"}, {"role": "assistant", "content": "Bye!"}]
    assert trained_text(encode(tokenizer, build.chat_item(messages, "x"))) == "It is 4.<|im_end|>Bye!<|im_end|>"


def test_pretraining_and_plain_text_train_on_everything(tokenizer):
    assert all(m for _, m in encode(tokenizer, build.chat_item(MESSAGES, "x"), "pretrain"))
    assert trained_text(encode(tokenizer, build.text_item("A fox.", "x"))) == "A fox.<|endoftext|>"


@pytest.mark.parametrize("cut", ["sentence", "anywhere"])
def test_cut_thoughts(tokenizer, cut):
    whole = chat_format.reasoning_of(MESSAGES[1])
    kept = set()
    for seed in range(60):
        pairs = encode(tokenizer, build.chat_item(MESSAGES, "x", cut=cut), seed=seed)
        text = "".join(t for t, _ in pairs)
        thought = text.split("<think>\n")[1].split(chat_format.CUT_CLOSE)[0]
        assert whole.startswith(thought) and thought != whole
        if cut == "sentence":
            assert thought in ("", "2 + 2 = 4.")
        # The injected close is not trained on, the answer is.
        assert trained_text(pairs) == thought + "It is 4.<|im_end|>"
        kept.add(thought)
    assert len(kept) == 2 if cut == "sentence" else len(kept) > 8


def test_segmentwise_equals_whole_tokenisation(tokenizer):
    rng = random.Random(9)
    for item in itertools.islice(build.task_items(rng, list(registry.FAMILIES), "train", "pretrain"), 150):
        ids, _, _ = build.Encoder(tokenizer, rng).encode([item], "pretrain")[0]
        assert ids == tokenizer.encode("".join(s.text for s in item.segments)).ids


def test_budget_shares():
    rng = random.Random(3)
    items = list(itertools.islice(build.task_items(rng, ["addition"], "train", "sft"), 2000))
    off = sum(all(s.kind != "thought" for s in i.segments) for i in items) / len(items)
    cut = sum(i.cut != "none" for i in items) / len(items)
    assert abs(off - 0.20) < 0.04 and abs(cut - 0.25) < 0.04


def test_only_train_problems_are_trained_on(sampled):
    rng = random.Random(1)
    list(itertools.islice(build.task_items(rng, list(registry.FAMILIES), "train", "sft"), 300))
    for _ in range(200):
        conversation.conversation(rng)
    assert len(sampled) > 300 and {split_of(c) for c in sampled} == {"train"}


def small_build(folder, seed: int, processes: int = 1):
    plan = build.Plan(folder, None, {"pretrain": 20_000, "sft": 15_000, "held_out": 3_000}, seed, ("addition", "lookup"), tk.DEFAULT_DIR)
    return build.build(plan, processes)


def test_files_without_corpora(tmp_path):
    meta = small_build(tmp_path / "a", 7)
    assert meta["corpora"] == {} and set(meta["mix"]["pretrain"]) == {"stories", "tasks", "chat"}
    assert json.loads((tmp_path / "a/meta.json").read_text()) == json.loads(json.dumps(meta))
    for stage in ("pretrain", "sft", "held_out"):
        tokens = np.fromfile(tmp_path / f"a/{stage}.tokens.bin", np.uint16)
        mask = np.fromfile(tmp_path / f"a/{stage}.mask.bin", np.uint8)
        docs = np.fromfile(tmp_path / f"a/{stage}.docs.bin", np.uint32)
        assert len(tokens) == len(mask) == meta["stages"][stage]["tokens"] > 0
        assert tokens.max() < tk.VOCAB_SIZE and set(np.unique(mask)) <= {0, 1}
        lengths = np.diff(np.append(docs, len(tokens)))
        assert docs[0] == 0 and lengths.min() > 0 and lengths.max() <= build.LONGEST_TOKENS
        assert len(docs) == meta["stages"][stage]["documents"]


def test_builds_are_deterministic_and_joined_from_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "SHARD_TOKENS", 8_000)
    small_build(tmp_path / "a", 7)
    small_build(tmp_path / "b", 7, processes=2)
    assert len(list((tmp_path / "a").iterdir())) == 10
    small_build(tmp_path / "c", 8)
    for file in sorted(p.name for p in (tmp_path / "a").iterdir()):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    assert (tmp_path / "a/sft.tokens.bin").read_bytes() != (tmp_path / "c/sft.tokens.bin").read_bytes()


def test_wrong_corpora_path_and_family_are_clear_errors(tmp_path, capsys):
    assert build.main(["--corpora", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert build.main(["--corpora", str(tmp_path / "empty"), "--out", str(tmp_path / "o"), "--pretrain-tokens", "1000", "--sft-tokens", "1000"]) == 2
    assert "tinystories/stories.txt" in capsys.readouterr().err
    assert not (tmp_path / "o/meta.json").exists()
    assert build.main(["--families", "cooking", "--out", str(tmp_path)]) == 2
    assert "cooking" in capsys.readouterr().err


def test_evaluation_files_are_refused(tmp_path):
    file = tmp_path / "valid_EVAL_ONLY.txt"
    file.write_text("x")
    with pytest.raises(ValueError, match="EVAL_ONLY"):
        corpora.open_checked(file)
    assert not any("EVAL_ONLY" in c.file or "_nc" in c.file for c in corpora.CORPORA)


def test_corpus_reading_and_held_out_part(tmp_path):
    folder = tmp_path / "tinystories"
    folder.mkdir()
    documents = [f"Story number {i} about a fox. " * 3 for i in range(900)]
    (folder / "stories.txt").write_text("<|endoftext|>".join(documents))
    corpus = corpora.CORPORA[0]
    held = [i.segments[0].text for i in build.corpus_items(corpus, tmp_path, "1", held_out=True)]
    train = [i.segments[0].text for i in itertools.islice(build.corpus_items(corpus, tmp_path, "1"), 3 * 900)]
    assert 1 <= len(held) <= 30
    assert len(set(train)) == 900 - len(held) and not set(train) & set(held)


def test_long_texts_are_cut_at_sentence_ends():
    text = "A fox ran home. " * 400
    parts = list(corpora.pieces(text))
    assert len(parts) > 3 and all(len(p) <= corpora.LONGEST_CHARS and p.endswith(".") for p in parts)
    assert " ".join(parts) == text.strip()


def test_conversations_are_well_formed():
    rng = random.Random(6)
    for _ in range(1500):
        messages = conversation.conversation(rng)
        roles = [m["role"] for m in messages if m["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2) and roles
        for message in messages:
            assert message["content"] and not set("[]{}") & set(message["content"].replace("[", "[")), message


def test_shards_share_the_passes_of_a_corpus(tmp_path):
    folder = tmp_path / "tinystories"
    folder.mkdir()
    (folder / "stories.txt").write_text("<|endoftext|>".join(f"Story {i}." for i in range(400)))
    corpus = corpora.CORPORA[0]
    whole = [i.segments[0].text for i in itertools.islice(build.corpus_items(corpus, tmp_path, "1"), 300)]
    train = len(set(i.segments[0].text for i in itertools.islice(build.corpus_items(corpus, tmp_path, "1"), 400)))
    second = [i.segments[0].text for i in itertools.islice(build.corpus_items(corpus, tmp_path, "1", start=200 / train), 100)]
    assert second == whole[200:300]


def test_small_corpora_are_not_read_too_often():
    sizes = {c.name: 1_000_000 for c in corpora.CORPORA} | {"tinystories": 1_000}
    budgets = build.share_out(10_000_000, sizes)
    assert budgets["tinystories"] == build.MOST_PASSES * 1_000
    assert abs(sum(budgets.values()) - 10_000_000) < 100
    assert budgets["pratham_books"] > 10_000_000 * 0.10
    assert sum(build.share_out(1e12, sizes).values()) == build.MOST_PASSES * sum(sizes.values())


def test_a_word_read_backwards_is_trained_letter_by_letter(tokenizer):
    messages = [{"role": "user", "content": "tail backwards?"}, {"role": "assistant", "content": "The word tail backwards is liat."}]
    pairs = encode(tokenizer, build.spelled_apart(build.chat_item(messages, "x"), "liat"))
    assert "".join(t for t, _ in pairs) == chat_format.render(messages)
    assert [t for t, m in pairs if m][-7:] == [" is", " l", "i", "a", "t", ".", "<|im_end|>"]


def test_drills_are_answered_from_what_they_show():
    rng = random.Random(3)
    for _ in range(300):
        drill = drills.recall(rng)
        entries = drill.thought[0].removeprefix("List: ").removesuffix(".").split(". ")
        asked = [line.removeprefix("So ").removesuffix(".") for line in drill.thought[1:]]
        assert len(asked) > 1 and set(asked) <= set(entries), drill
        assert drill.answer == f"It says: {', '.join(asked)}."
        for entry in entries:
            assert all(word.lower() in drill.question.lower() for word in entry.split(" ")), drill
        said = drills.copy(rng)
        listed = said.answer.removeprefix("Again: ").removesuffix(".")
        assert said.thought == (f"It says {listed}.",) and listed.lower() in said.question.lower(), said


def test_drills_leave_the_test_side_out():
    rng = random.Random(4)
    spelled = {line.split(":")[0].removeprefix("Spell ") for _ in range(4000) for line in drills.spell(rng).thought}
    assert len(spelled) > 450 and all(split_of(f"spell:{word}") == "train" or word == "cat" for word in spelled)


def test_a_share_of_what_is_asked_comes_after_unrelated_exchanges(tokenizer):
    """The earlier exchanges are given, not trained on, and the problem itself is what it is when asked alone."""
    rng = random.Random(5)
    items = list(itertools.islice(build.task_items(rng, ["addition", "lookup"], "train", "sft"), 1500))
    later = [i for i in items if sum("<|im_start|>user" in s.text for s in i.segments) > 1]
    assert abs(len(later) / len(items) - build.IN_CHAT) < 0.04
    for item in later[:200]:
        assert [s.kind for s in item.segments].count("answer") == 1
        text = "".join(s.text for s in item.segments)
        assert text.count("<think></think>") >= 1 and text.endswith("<|im_end|>\n")
        given = next(i for i, s in enumerate(item.segments) if "assistant" in s.text)
        assert item.segments[given + 1].kind == "prompt" and item.segments[given + 1].text.endswith("<|im_end|>")
    counts = {sum("<|im_start|>user" in s.text for s in i.segments) for i in later}
    assert counts == {2, 3, 4}


def test_unrelated_exchanges_keep_a_system_message_first():
    rng = random.Random(2)
    own = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]
    messages, given = conversation.after_others(own, rng)
    assert messages[0] == own[0] and messages[-2:] == own[1:]
    assert [m["role"] for m in messages[1:-2]] == ["user", "assistant"] * given and given >= 1


def test_unrelated_exchanges_are_of_the_train_side(sampled):
    rng = random.Random(8)
    for _ in range(100):
        conversation.unrelated(rng, 2, "sorting")
    assert len(sampled) > 80 and {split_of(c) for c in sampled} == {"train"}

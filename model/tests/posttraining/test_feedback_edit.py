"""Faults that are faults, feedback that names them, rows that avoid copies, ways that are counted fairly."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from tasks import registry
from tokenizers import Tokenizer

from tidepool_model.architecture.model import HybridLM
from tidepool_model.data import chat_format
from tidepool_model.data.packing import IGNORED, PackedStage
from tidepool_model.posttraining import faults, feedback_edit, role_rows, roles
from tidepool_model.posttraining.environments import PLAIN
from tidepool_model.posttraining.faults import Faulty
from tidepool_model.posttraining.preferences import Preference
from tidepool_model.posttraining.roles import NOTHING_WRONG, Draft
from tidepool_model.training.train import unlikelihood

SUM = Draft(("8 + 9 = 17, write 7, carry 1.", "3 + 4 + 1 = 8, write 8.", "So 38 + 49 = 87."), "38 + 49 = 87.")


def test_planted_faults_stand_in_the_last_step_and_nowhere_before() -> None:
    rng = random.Random(1)
    planted = {kind: 0 for kind in faults.KINDS}
    for family in PLAIN:
        for kind in faults.KINDS * 3:
            problem = registry.sample(family, rng, 3, "train", "wide")
            found = faults.plant(problem, kind, rng)
            if found is None:
                continue
            planted[kind] += 1
            assert found[:-1] == problem.thought[: len(found) - 1]
            assert found[-1] != problem.thought[len(found) - 1]
    assert all(count >= 4 for count in planted.values()), planted


def test_feedback_says_what_is_wrong_and_where() -> None:
    carry = Draft((SUM.steps[0], "3 + 4 = 7, write 7.", "So 38 + 49 = 77."), "38 + 49 = 77.")
    number = Draft(("8 + 9 = 16, write 6, carry 1.", *SUM.steps[1:]), "38 + 49 = 86.")
    assert faults.feedback_on(SUM, SUM, True) == NOTHING_WRONG
    assert faults.feedback_on(carry, SUM, False) == f"Step 2 is wrong. It should be: {SUM.steps[1]}"
    assert faults.feedback_on(number, SUM, False) == f"Step 1 has a wrong number. It should be: {SUM.steps[0]}"
    assert faults.feedback_on(Draft(SUM.steps[1:], "x"), SUM, False) == f"A step is missing before step 1. It should be: {SUM.steps[0]}"
    assert faults.feedback_on(Draft(SUM.steps[:2], "x"), SUM, False) == f"Step 3 is missing. It should be: {SUM.steps[2]}"
    assert "does not follow" in faults.feedback_on(Draft(SUM.steps, "86"), SUM, False)
    assert "is missing" in faults.feedback_on(Draft(SUM.steps, ""), SUM, False)
    names = Draft(("So Mei coach Nick.",), "Nick")
    assert "wrong name" in faults.feedback_on(Draft(("So Mei coach Paul.",), "Paul"), names, False)
    assert faults.check_thought(carry, SUM, False) == ("1 holds.", "2 fails.")
    assert faults.check_thought(SUM, SUM, True)[-1] == "The answer holds."
    assert faults.story_without_ending(["A.", "B.", "C.", "D."], random.Random(1)) in ("A. B.", "A. B. C.")


def test_a_draft_is_read_from_a_reply_and_shown_with_numbered_steps() -> None:
    draft = roles.draft_of("8 + 9 = 17.\n\nSo 17.\n</think>\n 8 + 9 = 17.")
    assert draft == Draft(("8 + 9 = 17.", "So 17."), "8 + 9 = 17.")
    assert draft.shown == "Step 1: 8 + 9 = 17.\nStep 2: So 17.\nAnswer: 8 + 9 = 17."
    assert roles.asked("Q?", draft, "F.").endswith("Answer: 8 + 9 = 17.\n\nFeedback:\nF.")


def test_rows_train_the_role_alone_and_name_the_token_at_which_a_copy_goes_its_own_way(tokenizer: Tokenizer, tmp_path: Path) -> None:
    wrong = Draft((SUM.steps[0], "3 + 4 + 1 = 9, write 9.", "So 38 + 49 = 97."), "38 + 49 = 97.")
    row = role_rows.row_of(tokenizer, "edit", ("38 + 49?", wrong, "Step 2 is wrong."), SUM.steps, SUM.answer, True, wrong)
    trained = tokenizer.decode([t for t, counts in zip(row.tokens, row.counts, strict=True) if counts], skip_special_tokens=False)
    assert trained == "\n".join(SUM.steps) + "\n</think>\n" + SUM.answer + chat_format.IM_END
    ((place, token),) = row.avoided.items()
    assert tokenizer.decode([row.tokens[place]]) == "8" and tokenizer.decode([token]) == "9" and row.counts[place] == 1
    same = role_rows.row_of(tokenizer, "edit", ("38 + 49?", SUM, None), SUM.steps, SUM.answer, True, None)
    assert same.avoided == {}
    role_rows.write_stage(tmp_path, [same, row])
    batch = next(PackedStage(tmp_path, role_rows.STAGE).batches(1, 512, 1))
    assert batch.avoided is not None
    where = (batch.avoided != IGNORED).nonzero()
    assert len(where) == 1 and batch.avoided[tuple(where[0])] == token and batch.targets[tuple(where[0])] == row.tokens[place]


def test_unlikelihood_pushes_the_named_token_down_and_nothing_where_none_is_named(model: HybridLM) -> None:
    hidden = torch.randn(1, 4, model.config.hidden_size, requires_grad=True)
    none = torch.full((1, 4), IGNORED)
    assert unlikelihood(model, hidden, none).item() == 0
    named = none.clone()
    named[0, 2] = 7
    loss = unlikelihood(model, hidden, named)
    chance = model.logits(hidden)[0, 2].softmax(-1)[7]
    assert loss.item() == pytest.approx(-torch.log1p(-chance).item(), abs=1e-6)
    loss.backward()
    moved = hidden.detach() - 10 * hidden.grad
    assert model.logits(moved)[0, 2].softmax(-1)[7] < chance


def test_drafts_are_gathered_with_true_verdicts(model: HybridLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_rows, "MOST_DRAFT", 12)
    found = role_rows.gather(model, tokenizer, 2 * len(PLAIN), 1) + role_rows.stories(6, 1)
    assert len(found) == 2 * len(PLAIN) + 6
    assert not any(one.is_right for one in found[: len(PLAIN)])  # an untaught model is never right
    told = [one for one in found if one.family == "stories"]
    assert all(one.mended.answer.startswith(one.draft.answer) and (one.draft == one.mended) == one.is_right for one in told)
    assert all(role_rows.feedback_of(one) == NOTHING_WRONG for one in told if one.is_right)


def test_ways_are_measured_and_a_stopped_measurement_goes_on(model: HybridLM, tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_edit, "LONGEST", {"draft": 6, "feedback": 6, "edit": 6})
    monkeypatch.setattr(feedback_edit, "MOST_VOTES", 5)
    problems = feedback_edit.held_out(1)[:3]
    assert [problem.family for problem in problems] == list(PLAIN[:3])
    kept = feedback_edit.journal(tmp_path)
    scored: list[tuple[str, str]] = []

    def score(replies: feedback_edit.Replies) -> list[float]:
        scored.extend((told[0]["content"], text) for told, text in replies)
        return [float(at % feedback_edit.DRAFTS) for at in range(len(replies))]  # the last result of each problem is the best

    ways, said = feedback_edit.measure_ways(feedback_edit.Roles(model, tokenizer, None), [p.question for p in problems], kept, score=score)
    assert len(scored) == len(problems) * feedback_edit.DRAFTS and {role for role, _ in scored} <= {roles.SYSTEM["draft"], roles.SYSTEM["edit"]}
    assert {text for _, text in scored} <= {one.text for name in ("draft", "drafts", "edits") for one in kept(name, list)}
    assert ways["fourByFourByReward"].tokens == ways["fourByFour"].tokens
    found = feedback_edit.figures(problems, ways, said)
    assert found["ways"]["fourByFour"]["tokens"] > found["ways"]["editWithFeedback"]["tokens"] > found["ways"]["draft"]["tokens"]

    def again() -> list[feedback_edit.Said]:
        raise AssertionError("what is kept is not written again")

    assert kept("draft", again) == said["draft"]
    assert json.loads((tmp_path / "draft.json").read_text())


def test_votes_copies_and_intervals() -> None:
    assert feedback_edit.voted(["a", "b", "b"]) == "b" and feedback_edit.voted(["a", "b"]) == "a"
    assert feedback_edit.chosen([Draft((), "It is 7."), Draft((), "8"), Draft((), "So 8.")]).answer == "8"
    assert feedback_edit.copies([SUM, SUM, SUM], [SUM, Draft((), "x"), SUM], [True, True, False]) == {"edits": 2, "copies": 0.5}
    low, high = feedback_edit.paired([False] * 50 + [True] * 50, [True] * 100)
    assert 0.35 < low < 0.5 < high < 0.65 and np.isclose((low + high) / 2, 0.5, atol=0.05)


def test_pairs_are_read_as_drafts_and_as_edits_of_the_rejected_one() -> None:
    pair = Preference(({"role": "user", "content": "Q?"},), ("bad", "good"), 2, "sampled")
    talk = Preference(({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}), ("x", "y"), 1)
    draft, edit = roles.role_pairs([pair, talk])
    assert draft.context == tuple(roles.messages("draft", "Q?")) and draft.domain == "draft: sampled"
    assert edit.context == tuple(roles.messages("edit", "Q?", Draft((), "bad"))) and edit.chosen == "good"


def test_a_faulty_record_says_where_it_came_from() -> None:
    faulty = Faulty("Q?", Draft((), ""), SUM, False, "addition")
    assert role_rows.feedback_of(faulty) == f"The answer is missing. It should be: {SUM.answer}"

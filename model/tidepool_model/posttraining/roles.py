"""Draft, feedback, edit: what each role is told and shown, and how its reply is read. The app says the same (src/core/roles).

    draft     the question                              -> thought, answer
    feedback  the question, the draft                   -> thought (which steps hold), one to three sentences
    edit      the question, the draft, the feedback     -> thought, answer

Drafts are shown with their thought as numbered steps, so that feedback can say where a fault is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from ..data import chat_format
from .preferences import Preference

SYSTEM = {
    "draft": "You write a draft.",
    "feedback": "You check a draft. Say what is wrong and where.",
    "edit": "You mend a draft.",
}
NOTHING_WRONG = "Nothing is wrong."


@dataclass(frozen=True)
class Draft:
    """A reply in parts; no steps: it was written without a thought."""

    steps: tuple[str, ...]
    answer: str

    @property
    def shown(self) -> str:
        lines = [f"Step {number}: {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([*lines, f"Answer: {self.answer}".strip()])


def draft_of(text: str) -> Draft:
    """From a reply's text, its thought (if any) closed by </think>; a thought that is never closed has no answer."""
    thought, closed, answer = text.partition(chat_format.END_THINK)
    if not closed and chat_format.END_THINK not in text:
        return Draft((), text.strip())
    return Draft(tuple(line.strip() for line in thought.split("\n") if line.strip()), answer.strip())


def asked(question: str, draft: Draft | None = None, feedback: str | None = None) -> str:
    """The user message of a role."""
    text = question if draft is None else f"{question}\n\nDraft:\n{draft.shown}"
    return text if feedback is None else f"{text}\n\nFeedback:\n{feedback}"


def messages(role: str, question: str, draft: Draft | None = None, feedback: str | None = None) -> list[dict[str, str]]:
    """What a role reads."""
    return [{"role": "system", "content": SYSTEM[role]}, {"role": "user", "content": asked(question, draft, feedback)}]


def prompt_of(tokenizer: Tokenizer, role: str, question: str, draft: Draft | None = None, feedback: str | None = None, thinks: bool = True) -> list[int]:
    """The same as tokens, up to the open thought, or the closed one where thinking is off."""
    text = chat_format.render(messages(role, question, draft, feedback), add_generation_prompt=True, enable_thinking=thinks)
    return tokenizer.encode(text, add_special_tokens=False).ids


def role_pairs(pairs: Sequence[Preference]) -> list[Preference]:
    """Pairs of replies to a lone question as the roles read them: each as two drafts, and as two edits of the rejected one."""
    found = []
    for pair in pairs:
        if len(pair.context) != 1:
            continue
        question = pair.context[0]["content"]
        for role, told in (("draft", messages("draft", question)), ("edit", messages("edit", question, draft_of(pair.rejected)))):
            found.append(Preference(tuple(told), pair.responses, pair.preference, f"{role}: {pair.domain}", pair.language))
    return found

"""Labour: who wrote the texts, who labelled what. Facts with their sources, nothing measured."""

from __future__ import annotations

from typing import Any

from .figure import Figure

TITLE = "Labour of data and moderation"

# What it is, who made it and how they were paid as far as their own papers and pages say, licence.
SOURCES: tuple[tuple[str, str, str], ...] = (
    ("TinyStories samples", "written by GPT-3.5 and GPT-4 at the request of Eldan and Li; whoever labelled for those models is not told", "CDLA-Sharing-1.0"),
    ("African Storybook", "authors and illustrators of African countries, named per story; volunteers and educators", "CC-BY, stated per story"),
    ("Pratham Books StoryWeaver", "authors and translators, named per story, by a non-profit publisher in India", "CC-BY-4.0 or public domain"),
    ("FairytaleQA", "old tales; questions by annotators with training in education", "Apache-2.0"),
    ("ChiLit and simple novels", "authors of the 19th century", "public domain"),
    ("OneStopEnglish", "teachers, who rewrote newspaper articles for learners", "CC-BY-SA-4.0"),
    ("Tatoeba", "volunteers", "CC-BY 2.0 FR"),
    ("English WordNet", "lexicographers, and volunteers since 2019", "CC-BY-4.0 and WordNet licence"),
    ("Schema-Guided Dialogue", "simulated outlines, put into words by paid crowd workers", "CC-BY-SA-4.0"),
    ("Taskmaster-4", "paid crowd workers", "CC-BY-4.0"),
    ("Synthetic-Persona-Chat", "a language model, from seeds that crowd workers wrote", "CC-BY-4.0"),
    ("Topical-Chat", "paid crowd workers", "CDLA-Sharing-1.0"),
    ("GSM8K, training part", "paid freelancers of Upwork and Surge AI", "MIT"),
    ("MAWPS", "school exercises of the web, collected and annotated by researchers", "MIT"),
    ("ARC and OpenBookQA", "school examinations; crowd workers for OpenBookQA", "ARC CC-BY-SA-4.0"),
    ("SmolLM2-135M-Instruct, which Lagoon is made from", "a large web corpus and synthetic texts (Hugging Face); its authors were not asked one by one", "Apache-2.0"),
    ("tasks, stories, small talk, preference labels, impact prompts", "programs and a language model that keeps this repository; checkers label, no person was hired", "Apache-2.0"),
    ("CrowS-Pairs (measured with, never trained on)", "paid crowd workers of Mechanical Turk wrote and rated stereotypes, which is wearing work", "CC BY-SA 4.0"),
)
NOTES = (
    "No one was hired to write, label or moderate for this repository. That moves the labour, it doesn't remove it: crowd workers, teachers and volunteers wrote what the models read, and most were paid little or nothing for this use.",
    "What is said of others' workers is from memory of their papers and pages, not checked anew; wages are not known here.",
    "Nothing that people write in the app is collected, so nobody moderates it.",
)


def figures() -> list[Figure]:
    return [Figure("annotators", "People hired to label or moderate for this repository", 0, "count", None, None, "how those were paid who made the corpora and the models that wrote some of them")]


def table() -> dict[str, Any]:
    return {"columns": ["text", "who made it", "licence"], "rows": [list(row) for row in SOURCES]}

"""The card (README.md) and the notice of a model that was made from another one; no figure is typed by hand.

    python -m tidepool_model.export.hybrid_card ../public/models/lagoon
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from .card import SOURCES, percent

BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
NOTICE = f"""The weights and the tokenizer in this folder are a derivative of SmolLM2-135M-Instruct
({BASE} on Hugging Face), copyright Hugging Face and the SmolLM2 authors, licensed under the Apache
License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0).

Changed by the Tidepool project: attention in part of the blocks replaced by Mamba-2 mixers made from
its weights, rows of the vocabulary left out and control tokens added, distilled and taught further,
rounded to 4 and 8 bits. Licensed under the same Apache License, Version 2.0.
"""


def sentences(evaluation: dict) -> Iterator[str]:
    """What eval.json says, each measurement that is there in one paragraph."""
    if evaluation.get("overall"):
        limits = "; ".join(f"{limit} {percent(share)}" for limit, share in evaluation["overall"].items())
        yield f"{evaluation['n']} held-out problems, greedy, right by thinking limit in tokens: {limits} (`{evaluation['command']}`, commit {evaluation['commit']})."
    if "unlimited" in evaluation.get("overall", {}):
        families = ", ".join(f"{name} {percent(shares['unlimited'])}" for name, shares in sorted(evaluation["families"].items()))
        yield f"By family, unlimited: {families}."
    if visitors := evaluation.get("visitors"):
        yield f"Sixty questions of visitors by fixed rules: {visitors['right']} of {visitors['of']}."
    for name, share in evaluation.get("outside", {}).items():
        yield f"{name}: {percent(share)}." if isinstance(share, float) else f"{name}: {percent(share['ours'])}, SmolLM2 {percent(share['smollm2'])}."
    if conversion := evaluation.get("conversion", {}).get("perplexity"):
        both = "; ".join(f"{name} {pair['ours']:.2f} against {pair['teacher']:.2f}" for name, pair in conversion.items())
        yield f"Held-out perplexity beside SmolLM2's on the same rows: {both}."


def hybrid_card(manifest: dict, evaluation: dict | None) -> str:
    """Markdown of a packaged hybrid; `evaluation` is its eval.json, where there is one."""
    letters, checks = manifest["pattern"], manifest["checks"]
    mamba = letters.count("M")
    size = sum(f["bytes"] for f in manifest["files"] if f["path"] in manifest["parts"])
    near = checks["againstFp32"]["quantized"]
    parts = [
        f"---\nlicense: apache-2.0\nlanguage: en\nlibrary_name: transformers.js\npipeline_tag: text-generation\nbase_model: {BASE}\n"
        "tags: [granitemoehybrid, mamba2, hybrid, onnx]\n---",
        f"# {manifest['name']}",
        f"A hybrid of Mamba-2 and attention with {manifest['parameters'] / 1e6:.1f} M parameters, made from SmolLM2-135M-Instruct by "
        f"Hugging Face (Apache-2.0): {mamba} of its {len(letters)} blocks have a Mamba-2 mixer in place of attention, begun from that "
        f"attention's own weights. Blocks: `{letters}` (`M` Mamba-2, `*` grouped-query attention with rotary positions), a SwiGLU in "
        "each. Made, taught and measured by the recipe in `model/` of the Tidepool repository.",
        "**It is small and often wrong.** Don't use it for anything that matters.",
        "## Use\n\n```js\n"
        f"const tokenizer = await AutoTokenizer.from_pretrained('{manifest['name']}');\n"
        f"const model = await AutoModelForCausalLM.from_pretrained('{manifest['name']}', {{ dtype: 'q4', device: 'webgpu' }});\n```\n\n"
        f"One set of weights ({size / 1e6:.1f} MB in {len(manifest['parts'])} parts: 4 bits in blocks of 32 with float16 scales, the "
        "embedding and the head that shares it in 8 bits) serves three graphs: `q4` and `q4f16` for WebGPU, `q8` (`model_quantized.onnx`) "
        "for WASM. The parts lie under the names of `q4`; transformers.js looks for them under each graph's own name, and the built "
        "site has those names too (in a copy of this folder: link `model_quantized.onnx_data*` to `model_q4.onnx_data*`). The chat "
        "template takes `enable_thinking` and `tools`. A thinking budget ends a thought by injecting `\\n</think>\\n`.",
        "## Mixer\n\n9 heads of 64 with a state of 64 and B and C of their own; causal convolution of 4 on x, B and C; SiLU on B and C only; "
        "RMS norm a head, before the gate; no D. The architecture's name in config.json, `granitemoehybrid`, gives transformers.js the names "
        "of the caches; the weights fit this mixer only.",
    ]
    measured = [
        f"Against the unrounded checkpoint on 96 tokens: best token equal at {near['top1']:.0%} of positions, mean KL {near['kl']}; "
        f"{manifest['taughtMatrices']} matrices were taught on the grid that they ship on."
    ]
    if "perplexity" in checks:
        measured.append(f"Held-out perplexity: checkpoint {checks['perplexity']['fp32']}, what ships {checks['perplexity']['shipped']}.")
    if evaluation is not None:
        measured += list(sentences(evaluation))
    parts.append("## Measured\n\n" + "\n\n".join(measured))
    parts.append(
        "## Data and licences\n\nThe base model's own data are its makers'. Taught on these texts and on what the recipe generates; nothing of them "
        "is distributed with the model.\n\n" + SOURCES + "\n| OpenTriviaQA (questions, answered by the base model) | CC-BY-SA-4.0 |\n| first names of Faker | MIT |"
    )
    parts.append("## Licence\n\nApache-2.0, as the model that it was made from; see NOTICE for what was changed.")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    manifest_path, evaluation_path = folder / "manifest.json", folder / "eval.json"
    if not manifest_path.exists():
        raise SystemExit(f"{manifest_path} is missing; make the model with `python -m tidepool_model.export.package_hybrid` first")
    evaluation = json.loads(evaluation_path.read_text()) if evaluation_path.exists() else None
    (folder / "README.md").write_text(hybrid_card(json.loads(manifest_path.read_text()), evaluation))


if __name__ == "__main__":
    main()

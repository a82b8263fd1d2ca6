/** The released tokenizer and a model without layers around it, for tests whose session makes the logits. */
import { readFileSync } from 'node:fs';
import type { ReplyModel } from '../../../scripts/eval/run-reply';
import { thinkFormatOf } from '../../../src/models/think-format';
import { createTokenizer } from '../../../workers/runtime/hub';

/** A JSON file of the repository. */
export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'));
}

export const tokenizer = createTokenizer(
  readJson('model/tokenizer/tokenizer.json'),
  readJson('model/tokenizer/tokenizer_config.json'),
);

export function idOf(token: string): number {
  const id = tokenizer.idOf(token);
  if (id === undefined) throw new Error(`the tokenizer lacks ${token}`);
  return id;
}

export const VOCAB = 4096;

export function scriptedModel(name: string, maxPositions: number): ReplyModel {
  return {
    tokenizer,
    format: thinkFormatOf((token) => tokenizer.idOf(token), [idOf('<|im_end|>')]),
    spec: {
      name,
      modelType: 'nemotron_h',
      hiddenSize: 1,
      vocabSize: VOCAB,
      maxPositions,
      layers: [],
      eosTokenIds: [idOf('<|im_end|>')],
    },
  };
}

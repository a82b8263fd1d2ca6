/** Owns the settings of greedy decoding: the likeliest token, always; the seed is never asked. */
import type { SamplingSettings } from './sampler';

export const GREEDY: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 1,
};

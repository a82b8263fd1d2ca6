/** Owns the arithmetic of an expert's weights, with and without a latent space. */
import type { ExpertsSpec } from '../model-spec';

export interface ExpertRoom {
  /** Weights of one expert as it is, and as it would be at the stream's full width. */
  readonly perExpert: number;
  readonly atFullWidth: number;
}

/** Two matrices each, no bias (up: in × inside, down: inside × out); null where the config tells no inner width. */
export function expertRoom(
  { width, latentWidth }: ExpertsSpec,
  hiddenSize: number,
): ExpertRoom | null {
  if (width === null) return null;
  return {
    perExpert: 2 * width * (latentWidth ?? hiddenSize),
    atFullWidth: 2 * width * hiddenSize,
  };
}

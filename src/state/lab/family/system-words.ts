/** What each system of the family is, in sentences: what is real here, and what a toy can and cannot show. Owns no figures. */
import { t } from '../../../core/language/translate';
import type { SystemId } from '../../../models/family-file';

export interface SystemWords {
  readonly title: string;
  /** Which of NVIDIA's models has it. */
  readonly home: string;
  readonly what: string;
  readonly toy: string;
  /** What is emulated where family.json says that something is. */
  readonly emulated: string;
}

export const SYSTEM_WORDS: Readonly<Record<SystemId, SystemWords>> = {
  moe: {
    get title() {
      return t('Mixture of experts');
    },
    get home() {
      return t('Nemotron 3 Nano');
    },
    get what() {
      return t(
        'In some layers many small MLPs, the experts, stand in place of one. A router picks a few of them for each token; the others rest.',
      );
    },
    get toy() {
      return t(
        'Routing, balance and the cost of choosing are the real thing. That experts know more at the same cost shows at billions of parameters; a toy’s small tasks need little knowledge.',
      );
    },
    emulated: '',
  },
  'latent-moe': {
    get title() {
      return t('LatentMoE');
    },
    get home() {
      return t('Nemotron 3 Super, Ultra');
    },
    get what() {
      return t(
        'Tokens are squeezed into a narrower space before the experts and widened after them. In the room that saves there are more experts, and each token goes to more of them.',
      );
    },
    get toy() {
      return t(
        'The widths and the wiring are real. Its gain is in bytes moved between many chips, and in quality after trillions of tokens; neither is to be had here.',
      );
    },
    emulated: '',
  },
  mtp: {
    get title() {
      return t('Multi-token prediction');
    },
    get home() {
      return t('Nemotron 3 Super, Ultra');
    },
    get what() {
      return t(
        'A small module guesses the tokens after the next one. The model checks the guesses all at once and keeps those that it would have written itself.',
      );
    },
    get toy() {
      return t(
        'Guesses, checks and the equality of the text are real. Time is saved where reading several tokens costs as much as reading one: on a graphics card, hardly on one thread.',
      );
    },
    emulated: '',
  },
  nvfp4: {
    title: 'NVFP4',
    get home() {
      return t('Nemotron 3 Super, Ultra');
    },
    get what() {
      return t(
        'Weights in four bits: sixteen of them share a scale, and each is one of fifteen numbers times that scale.',
      );
    },
    get toy() {
      return t(
        'The numbers are exactly those of the format, and so is the file. The speed is not: no browser computes in them, so they are unpacked as the model loads.',
      );
    },
    get emulated() {
      return t('The arithmetic of training in four bits is emulated in float32.');
    },
  },
  fp8: {
    get title() {
      return t('FP8 training');
    },
    home: 'Nemotron-H',
    get what() {
      return t(
        'The matrices are multiplied in eight bits while the model is trained: E4M3 forward, E5M2 for gradients, the first and last layers in 16.',
      );
    },
    get toy() {
      return t(
        'Rounding and scales are those of the recipe, the loss that comes of them is real. The saved time is not: the multiplying itself is float32. The paper warns that small models tell little of large ones.',
      );
    },
    get emulated() {
      return t(
        'Eight-bit arithmetic is emulated: values are rounded as FP8 would round them, then multiplied in float32.',
      );
    },
  },
  twin: {
    get title() {
      return t('All-attention twin');
    },
    get home() {
      return t('what the hybrids are measured against');
    },
    get what() {
      return t(
        'The same size with attention in every mixing layer and no state: its cache grows with each token.',
      );
    },
    get toy() {
      return t(
        'Bytes and times are measured. How far apart two models of this size are in what they can do says little of large ones.',
      );
    },
    emulated: '',
  },
  minipuzzle: {
    get title() {
      return t('MiniPuzzle');
    },
    get home() {
      return t('Nemotron-H 47B');
    },
    get what() {
      return t(
        'A smaller model cut out of a larger one: layers and neurons that matter least go, and what is left learns again from its parent.',
      );
    },
    get toy() {
      return t(
        'Scoring, search and distilling are the real steps on a stack of twelve layers. The papers distil for billions of tokens; this one had 25 thousand, and solves half of what its parent does.',
      );
    },
    emulated: '',
  },
};

/** What stands above all figures. */
export const HONEST_WORD = t(
  'These are toys of some three million parameters, each trained for a short while on one processor. They show how a system works and what it costs here. They can’t show what it buys at scale: for that the papers have the figures.',
);

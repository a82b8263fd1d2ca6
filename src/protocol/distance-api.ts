/**
 * What the page and the distance worker say to each other: the race of two models over growing contexts, and the long
 * read. Plain objects only; owns no behaviour.
 */
import type { DeviceKind, WireError } from './engine-api';

/** A model of this site. */
export interface DistanceModel {
  /** Name of its folder under models/. */
  readonly id: string;
  /** Absolute, with its closing slash. */
  readonly modelUrl: string;
}

export interface RaceRequest {
  readonly type: 'race';
  readonly models: readonly DistanceModel[];
  /** Both run on it. */
  readonly device: DeviceKind;
  /** Tokens of context, ascending. */
  readonly contexts: readonly number[];
  /** Contexts up to here are read, longer ones are made of what was read. */
  readonly readUpTo: number;
  /** Turns that each model has at each context, and the tokens that it writes in one. */
  readonly rounds: number;
  readonly steps: number;
}

export interface LongReadRequest {
  readonly type: 'read';
  readonly model: DistanceModel;
  readonly device: DeviceKind;
  readonly text: string;
  /** Tokens to read, the end of the text if that comes sooner. */
  readonly tokens: number;
  /** Hidden in the text, each after so many tokens, ascending. */
  readonly needles: readonly Needle[];
  /** After so many tokens all needles read so far are asked for; ascending. Asked once more at the end. */
  readonly checkpoints: readonly number[];
  readonly answerTokens: number;
}

/** A fact that is hidden in the text. */
export interface Needle {
  readonly after: number;
  readonly sentence: string;
  readonly question: string;
  readonly expected: string;
}

export type DistanceRequest =
  | RaceRequest
  | LongReadRequest
  /** Stand still after this token, and go on from there. */
  | { readonly type: 'hold' }
  | { readonly type: 'go-on' };

/** A model that was opened for a longer context than its config names. */
export interface OpenedForDistance {
  readonly id: string;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly device: DeviceKind;
  readonly threads: number;
  readonly variant: string;
  /** What its own config allows. */
  readonly trainedContext: number;
}

/** One model at one context: how its states came about, and every decode step that was timed. */
export interface RacePoint {
  readonly id: string;
  readonly context: number;
  /** `read`: token by token; `made`: keys and values that were read, laid one after the other. */
  readonly states: 'read' | 'made';
  readonly ms: readonly number[];
  /** Bytes of the tensors: SSM and conv states, and the KV cache. */
  readonly constantBytes: number;
  readonly kvBytes: number;
}

/** Where a long read stands. */
export interface ReadingPoint {
  readonly tokens: number;
  /** Milliseconds a token, over the tokens since the point before. */
  readonly msPerToken: number;
  readonly ssmBytes: number;
  readonly convBytes: number;
  readonly kvBytes: number;
}

export interface NeedleAnswer {
  /** Place in the request's list. */
  readonly needle: number;
  readonly answer: string;
  readonly isRight: boolean;
}

export type DistanceEvent =
  | { readonly type: 'opened'; readonly model: OpenedForDistance }
  /** Replaces an earlier one of the same model, context and way of making. */
  | { readonly type: 'point'; readonly point: RacePoint }
  /** A model came no further: the memory ended, or its file did not bear it. */
  | {
      readonly type: 'gave-up';
      readonly id: string;
      readonly context: number;
      readonly why: string;
    }
  | { readonly type: 'reading'; readonly point: ReadingPoint }
  | { readonly type: 'answers'; readonly tokens: number; readonly answers: readonly NeedleAnswer[] }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: WireError };

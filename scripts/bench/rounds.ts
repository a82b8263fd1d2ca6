/** Owns the order in which contenders are run, and what is kept of each run. Owns no summary. */
import type { MeasuredRun } from '../../tests/bench/peers/peers';
import type { PeersPage } from './browser';
import type { Entry } from './contenders';
import type { Prompt, Prompts } from '../../src/core/bench/prompts';
import { spreadOf } from '../../src/core/bench/spread';

/** Values of each figure, one a round, by contender. */
export class Samples {
  readonly #values = new Map<string, Map<string, number[]>>();

  add(contender: string, figure: string, value: number): void {
    const figures = this.#values.get(contender) ?? new Map<string, number[]>();
    this.#values.set(contender, figures);
    figures.set(figure, [...(figures.get(figure) ?? []), value]);
  }

  of(contender: string): ReadonlyMap<string, readonly number[]> {
    return this.#values.get(contender) ?? new Map<string, number[]>();
  }
}

/** Two contenders that run the same file and must say the same. */
export interface Mismatch {
  readonly contender: string;
  readonly where: string;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

export interface Agreement {
  /** Runs in which stock transformers.js on the same file gave the same greedy tokens. */
  equalRuns: number;
  readonly mismatches: Mismatch[];
  /** By contender with other roundings: share of the text's first characters that agree, one a compared run. */
  readonly sharedText: Map<string, number[]>;
}

export interface LengthPlan {
  readonly context: number;
  readonly newTokens: number;
}

/** Starts with another contender each round, so that none always runs first. */
function turned<T>(list: readonly T[], round: number): T[] {
  const cut = round % list.length;
  return [...list.slice(cut), ...list.slice(0, cut)];
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}

/** Shown text without the tags, which one engine writes out and another swallows. */
function bare(text: string): string {
  return text.replace(/<\|?[a-z_/]+\|?>/g, '');
}

function joined(a: Prompt, b: Prompt): Prompt {
  return { ids: [...a.ids, ...b.ids], text: a.text + b.text };
}

export class Rounds {
  readonly samples = new Samples();
  readonly agreement: Agreement = { equalRuns: 0, mismatches: [], sharedText: new Map() };
  /** What was not measured, and why, as sentences. */
  readonly leftOut: string[] = [];
  readonly #page: PeersPage;
  readonly #entries: readonly Entry[];
  readonly #prompts: Prompts;
  readonly #say: (line: string) => void;

  constructor(
    page: PeersPage,
    entries: readonly Entry[],
    prompts: Prompts,
    say: (line: string) => void,
  ) {
    this.#page = page;
    this.#entries = entries;
    this.#prompts = prompts;
    this.#say = say;
  }

  /**
   * Prompts read from nothing: time to first token, prefill and decode, `rounds` times after one that is not kept. At
   * least one round is; none begins after `deadline`.
   */
  async fromNothing(plans: readonly LengthPlan[], rounds: number, deadline: number): Promise<void> {
    for (let round = -1; round < rounds; round += 1) {
      if (round > 0 && performance.now() > deadline) {
        this.leftOut.push(`rounds from ${round + 1} on at short contexts: out of time`);
        return;
      }
      for (const { context, newTokens } of plans) {
        const prompt = await this.#prompts.ofLength(context, round + 1);
        const runs = new Map<string, MeasuredRun>();
        for (const { name } of turned(this.#entries, round + 1)) {
          const run = await this.#run(name, prompt, newTokens, false);
          runs.set(name, run);
          // The first run of a length compiles and grows memory.
          if (round < 0) continue;
          const { samples } = this;
          samples.add(name, `firstTokenMs${context}`, run.firstTokenMs);
          // Of another model's tokenizer the same words are a few tokens more.
          const read = run.readTokens ?? context;
          samples.add(name, `prefill${context}`, perSecond(read, run.firstTokenMs));
          samples.add(name, 'longTaskMs', run.longTaskMs);
          if (newTokens < 16) continue;
          samples.add(name, `decode${context}`, perSecond(run.tokens - 1, run.decodeMs));
          if (run.inner !== null)
            samples.add(name, `decodeInside${context}`, run.inner.decodeTokensPerSecond);
        }
        this.#compare(runs, `round ${round + 1}, ${context} tokens`);
      }
      this.#say(`short contexts: round ${round + 1} of ${rounds}`);
    }
  }

  /**
   * Further questions in one long conversation: it is read up to each of `contexts` (ascending, not timed), then goes on
   * by a question and `newTokens` more, `rounds` times. A contender that could not read so much before `deadline` is
   * left out from there on.
   */
  async goingOn(
    contexts: readonly number[],
    newTokens: number,
    rounds: number,
    deadline: number,
  ): Promise<void> {
    const histories = new Map<string, Prompt>();
    let taking = [...this.#entries];
    for (const context of contexts) {
      const more = await this.#prompts.ofLength(context, context);
      const able: Entry[] = [];
      for (const entry of taking) {
        const { name } = entry;
        const before = histories.get(name) ?? { ids: [], text: '' };
        const missing = context - before.ids.length;
        if (performance.now() + this.#readingMs(name, missing) > deadline) {
          this.leftOut.push(`${name} at ${context} tokens: reading them would have taken too long`);
          continue;
        }
        const history = joined(before, { ids: more.ids.slice(0, missing), text: more.text });
        const run = await this.#run(name, history, 1, true);
        // What it said is part of the conversation, as in a chat.
        histories.set(name, joined(history, { ids: run.ids ?? [], text: run.text }));
        able.push(entry);
        this.#say(`${name} has read ${context} tokens`);
      }
      taking = able;
      if (taking.length === 0) return;
      for (let round = 0; round < rounds; round += 1) {
        if (performance.now() > deadline) {
          this.leftOut.push(`rounds from ${round + 1} on at ${context} tokens: out of time`);
          return;
        }
        await this.#askOn(taking, histories, { context, newTokens, round });
      }
    }
  }

  /** One question to each contender, after its history. */
  async #askOn(
    taking: readonly Entry[],
    histories: Map<string, Prompt>,
    { context, newTokens, round }: LengthPlan & { readonly round: number },
  ): Promise<void> {
    const question = await this.#prompts.question(round);
    const runs = new Map<string, MeasuredRun>();
    for (const { name } of turned(taking, round)) {
      const prompt = joined(histories.get(name) ?? question, question);
      const run = await this.#run(name, prompt, newTokens, true);
      runs.set(name, run);
      histories.set(name, joined(prompt, { ids: run.ids ?? [], text: run.text }));
      const { samples } = this;
      samples.add(name, `decode${context}`, perSecond(run.tokens - 1, run.decodeMs));
      samples.add(name, `questionMs${context}`, run.firstTokenMs);
      samples.add(name, 'longTaskMs', run.longTaskMs);
      if (run.readTokens !== null)
        samples.add(name, `questionExtraTokens${context}`, run.readTokens - question.ids.length);
    }
    this.#compare(runs, `question ${round + 1} after ${context} tokens`);
  }

  /** What reading so many tokens would take, by half the speed that was seen at 512: attention slows with the context. */
  #readingMs(name: string, tokens: number): number {
    const seen = this.samples.of(name).get('prefill512') ?? [];
    return seen.length === 0 ? 0 : (tokens * 2000) / spreadOf(seen).median;
  }

  #run(
    name: string,
    { ids, text }: Prompt,
    newTokens: number,
    reuse: boolean,
  ): Promise<MeasuredRun> {
    return this.#page.call('run', name, { promptIds: ids, promptText: text, newTokens, reuse });
  }

  #compare(runs: ReadonlyMap<string, MeasuredRun>, where: string): void {
    const ours = runs.get('tidepool');
    if (!ours?.ids) return;
    for (const { name } of this.#entries) {
      const run = runs.get(name);
      if (run === undefined || name === 'tidepool') continue;
      if (/^transformers(-\d+t)?$/.test(name)) {
        const theirs = run.ids ?? [];
        if (theirs.length === ours.ids.length && theirs.every((id, i) => id === ours.ids?.[i]))
          this.agreement.equalRuns += 1;
        else this.agreement.mismatches.push({ contender: name, where, ours: ours.ids, theirs });
        continue;
      }
      // Up to our end of turn: llama.cpp goes on by never drawing one, so what follows must differ.
      const [a, b] = [bare(ours.text.split('<|im_end|>', 1)[0] ?? ''), bare(run.text)];
      if (a.length < 12) continue;
      let same = 0;
      while (same < a.length && a[same] === b[same]) same += 1;
      const shares = this.agreement.sharedText.get(name) ?? [];
      this.agreement.sharedText.set(name, [...shares, same / a.length]);
    }
  }
}

/**
 * Owns a class that was opened from a link: its entries, the one that is worked on, and this student's results, kept in
 * this tab until they are saved. Owns no drawing.
 */
import { t } from '../../core/language/translate';
import { decodeClass, type ClassItem, type ClassPlan } from './class-plan';
import type { ItemResult } from './class-results';

/** What a lesson or an experiment tells when it has run. */
export interface ClassNote {
  readonly kind: 'lesson' | 'recall' | 'compare' | 'fork';
  /** Of a lesson, its name. */
  readonly id?: string;
  readonly predicted: string;
  readonly outcome: string;
  readonly isRight: boolean | null;
}

/** The part of the tab's own storage that is used; null where the browser has none. */
export type ClassStorage = Pick<Storage, 'getItem' | 'setItem'> | null;

async function keyOf(code: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code));
  return Array.from(new Uint8Array(digest).slice(0, 8), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

export class Classroom {
  plan = $state.raw<ClassPlan | null>(null);
  /** Why the link can't be followed; '' when it can. */
  problem = $state('');
  results = $state.raw<readonly ItemResult[]>([]);
  student = $state('');
  key = '';
  #code = '';
  /** The entry that was opened last. */
  #open: number | null = null;
  readonly #storage: ClassStorage;

  constructor(storage: ClassStorage) {
    this.#storage = storage;
  }

  /** Opens the class of a link. */
  async follow(code: string): Promise<void> {
    if (code === this.#code) return;
    this.#code = code;
    this.plan = null;
    this.problem = '';
    const plan = await decodeClass(code);
    if (code !== this.#code) return;
    if ('broken' in plan) {
      this.problem = t(
        'This link to a class can’t be followed: {broken}. Ask for it once more, or scan the code again.',
        { broken: plan.broken },
      );
      return;
    }
    this.key = await keyOf(code);
    this.results = this.#kept(plan.items.length);
    this.plan = plan;
  }

  resultOf(item: number): ItemResult | null {
    return this.results.find((one) => one.item === item) ?? null;
  }

  /** The entry that is worked on from now on. */
  take(at: number): ClassItem | null {
    this.#open = at;
    return this.plan?.items[at] ?? null;
  }

  /** A lesson or an experiment has run: a result where the class asks for it. */
  note({ kind, id, ...result }: ClassNote): void {
    const fits = (item: ClassItem | undefined): boolean =>
      item?.kind === 'lesson'
        ? kind === 'lesson' && item.lesson === id
        : item?.kind === 'experiment' && item.link.experiment === kind;
    const items = this.plan?.items ?? [];
    const at =
      this.#open !== null && fits(items[this.#open])
        ? this.#open
        : items.findIndex((item) => item.kind === 'lesson' && fits(item));
    if (at >= 0) this.set({ item: at, ...result });
  }

  set(result: ItemResult): void {
    this.results = [...this.results.filter(({ item }) => item !== result.item), result].sort(
      (a, b) => a.item - b.item,
    );
    try {
      this.#storage?.setItem(`tidepool-class-${this.key}`, JSON.stringify(this.results));
    } catch {
      // A full or forbidden storage: the results stay on the page, and in the file that is saved.
    }
  }

  #kept(items: number): readonly ItemResult[] {
    try {
      const kept: unknown = JSON.parse(
        this.#storage?.getItem(`tidepool-class-${this.key}`) ?? '[]',
      );
      return Array.isArray(kept)
        ? (kept as ItemResult[]).filter(
            ({ item, outcome }) => item < items && typeof outcome === 'string',
          )
        : [];
    } catch {
      // Nothing is kept, or what was is no longer readable.
      return [];
    }
  }
}

/** Owns the saved prompts: several instructions and questions by name, changed, kept, and carried in and out as JSON. */
import { t } from '../../core/language/translate';
import type { SavedPrompt } from '../../core/prompts/prompt';
import { cutText } from '../../core/text/letters';
import {
  missingPrompts,
  PROMPT_LIMITS,
  readPromptFile,
  writePromptFile,
  type PromptStore,
} from '../../storage/prompt-store';
import { asEngineError } from '../model-status.svelte';

export interface PromptsHost {
  readonly store: Pick<PromptStore, 'load' | 'save'>;
  readonly newId: () => string;
  readonly onProblem: (error: unknown) => void;
}

/** What came of a file: how many prompts are new here, and sentences on the rest. */
export interface PromptImport {
  readonly added: number;
  readonly problems: readonly string[];
}

export class Prompts {
  list = $state.raw<readonly SavedPrompt[]>([]);
  readonly #host: PromptsHost;

  constructor(host: PromptsHost) {
    this.#host = host;
  }

  async load(): Promise<void> {
    try {
      this.list = await this.#host.store.load(this.#host.newId);
    } catch (error) {
      this.#host.onProblem(error);
    }
  }

  /** Adds a prompt, or changes the one of that id. False when a field is blank or there are too many. */
  put(prompt: Omit<SavedPrompt, 'id'>, id?: string): boolean {
    const name = cutText(prompt.name.trim(), PROMPT_LIMITS.nameLength);
    const text = cutText(prompt.text, PROMPT_LIMITS.textLength);
    if (name === '' || text.trim() === '') return false;
    const fresh = { kind: prompt.kind, name, text };
    if (id !== undefined)
      this.#keep(this.list.map((old) => (old.id === id ? { ...fresh, id } : old)));
    else if (this.list.length >= PROMPT_LIMITS.prompts) return false;
    else this.#keep([...this.list, { ...fresh, id: this.#host.newId() }]);
    return true;
  }

  remove(id: string): void {
    this.#keep(this.list.filter((prompt) => prompt.id !== id));
  }

  /** Brings back what was removed, at its place. */
  restore(prompt: SavedPrompt, at: number): void {
    this.#keep([...this.list.slice(0, at), prompt, ...this.list.slice(at)]);
  }

  asFile(): string {
    return writePromptFile(this.list);
  }

  /** Adds what a file has and is not here yet; never rejects. */
  async takeFile(file: Blob): Promise<PromptImport> {
    if (file.size > PROMPT_LIMITS.fileBytes)
      return { added: 0, problems: [t('The file is too large to be one of prompts.')] };
    try {
      const { prompts, problems } = readPromptFile(await file.text());
      const fresh = missingPrompts(this.list, prompts);
      const room = PROMPT_LIMITS.prompts - this.list.length;
      const taken = fresh.slice(0, room);
      if (taken.length > 0)
        this.#keep([
          ...this.list,
          ...taken.map((prompt) => ({ ...prompt, id: this.#host.newId() })),
        ]);
      const known = prompts.length - fresh.length;
      return {
        added: taken.length,
        problems: [
          ...problems,
          ...(known === 0
            ? []
            : [t('{known} of the file’s prompts were here already.', { known })]),
          ...(fresh.length > taken.length
            ? [
                t('{length} more had no room: {prompts} are kept.', {
                  length: fresh.length - taken.length,
                  prompts: PROMPT_LIMITS.prompts,
                }),
              ]
            : []),
        ],
      };
    } catch (error) {
      const { message, remedy } = asEngineError(error);
      return { added: 0, problems: [`${message} ${remedy}`] };
    }
  }

  #keep(list: readonly SavedPrompt[]): void {
    this.list = list;
    this.#host.store.save(list).catch(this.#host.onProblem);
  }
}

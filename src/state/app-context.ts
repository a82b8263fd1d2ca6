/** The state that main.ts makes once and every component reads by context. */
import { createContext } from 'svelte';
import type { BudgetStudy } from './budget-study.svelte';
import type { ChatSession } from './chat-session.svelte';
import type { ConversationList } from './conversation-list.svelte';
import type { FileSlot } from './files/file-slot.svelte';
import type { JudgeSlot } from './judge/judge-slot.svelte';
import type { KeptThings } from './kept-things.svelte';
import type { Lab } from './lab/lab.svelte';
import type { LargerSlot } from './models/larger-slot.svelte';
import type { ModelLibrary } from './models/model-library.svelte';
import type { ModelStatus } from './model-status.svelte';
import type { Notices } from './notices.svelte';
import type { SecondSlot } from './models/second-slot.svelte';
import type { PromptSlot } from './prompts/prompt-slot.svelte';
import type { PageLanguage } from './page-language.svelte';
import type { Report } from './report/report.svelte';
import type { Servers } from './servers.svelte';
import type { SharedView } from './shared-view.svelte';
import type { Settings } from './settings.svelte';
import type { VoiceSlot } from './voice/voice-slot.svelte';

export interface AppState {
  readonly chat: ChatSession;
  readonly status: ModelStatus;
  readonly list: ConversationList;
  readonly settings: Settings;
  readonly notices: Notices;
  readonly lab: Lab;
  readonly kept: KeptThings;
  readonly study: BudgetStudy;
  readonly library: ModelLibrary;
  readonly larger: LargerSlot;
  readonly second: SecondSlot;
  readonly judge: JudgeSlot;
  readonly report: Report;
  /** The servers that a person has added; their code comes with the first call. */
  readonly openServers: () => Promise<Servers>;
  readonly files: FileSlot;
  /** The page stands in another page's frame: one chat, nothing kept. */
  readonly isEmbedded: boolean;
  readonly shared: SharedView;
  readonly prompts: PromptSlot;
  readonly voice: VoiceSlot;
  readonly language: PageLanguage;
}

export const [getApp, setApp] = createContext<AppState>();

/** Owns the list of all that the page can be told to do, as it stands now. Runs nothing by itself. */
import { activeLeaf } from '../../core/chat/conversation-tree';
import type { AppState } from '../../state/app-context';
import { LAB_VIEWS } from '../../state/lab/lab.svelte';
import { limitInWords, stopsWith } from '../../state/thinking-limits';
import type { Theme } from '../../state/settings.svelte';
import type { Prompts } from '../../state/prompts/prompts.svelte';
import { isMacKeyboard, keysOf } from '../help/key-combos';
import { comboFor, SHORTCUTS } from '../help/shortcuts';
import { LESSONS } from '../lessons/lessons';
import type { PageAction } from './page-action';
import type { Command } from './match-commands';

export interface CommandHost {
  readonly app: AppState;
  /** Null while they are read. */
  readonly prompts: Prompts | null;
  readonly act: (action: PageAction) => void;
}

type Keyless = Omit<Command, 'group' | 'keys'>;

const PAGES: readonly {
  readonly action: PageAction;
  readonly label: string;
  readonly detail?: string;
}[] = [
  { action: { kind: 'new-chat' }, label: 'New chat' },
  { action: { kind: 'focus-message' }, label: 'Go to the message box' },
  { action: { kind: 'add-file' }, label: 'Add a file to the message', detail: 'text, CSV, PDF' },
  { action: { kind: 'prompts' }, label: 'Prompts', detail: 'saved instructions, questions' },
  { action: { kind: 'models' }, label: 'Choose a model', detail: 'library, server' },
  { action: { kind: 'settings' }, label: 'Settings', detail: 'sampling, tools, device' },
  { action: { kind: 'transfer' }, label: 'Export and import chats' },
  { action: { kind: 'share' }, label: 'Share this chat', detail: 'link, picture, paper' },
  { action: { kind: 'second-model' }, label: 'Let two models answer' },
  { action: { kind: 'storage' }, label: 'Storage', detail: 'what is kept, delete' },
  { action: { kind: 'help' }, label: 'Help and keys', detail: 'shortcuts' },
  { action: { kind: 'bench' }, label: 'Measure this device', detail: 'benchmark' },
];

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: 'light', label: 'Light colours' },
  { theme: 'dark', label: 'Dark colours' },
  { theme: 'system', label: 'Colours as the system' },
];

function replyCommands({ app }: CommandHost): Keyless[] {
  const { chat } = app;
  if (chat.isBusy)
    return [
      { id: 'stop', label: 'Stop the reply', detail: 'Escape', run: () => chat.stop() },
      {
        id: 'answer-now',
        label: 'Answer now',
        detail: 'end the thought',
        run: () => chat.answerNow(),
      },
    ];
  const last = activeLeaf(chat.conversation.tree);
  if (last?.role !== 'assistant') return [];
  return [
    {
      id: 'regenerate',
      label: 'Another answer to the last question',
      run: () => void chat.regenerate(last.id),
    },
  ];
}

function settingCommands({ app }: CommandHost): Keyless[] {
  const { chat, library, settings } = app;
  const stops = stopsWith(library.measured[library.current.key]?.limits ?? []);
  return [
    ...stops.map((limit) => ({
      id: `limit-${limit}`,
      label: `Thinking limit: ${limitInWords(limit).toLowerCase()}`,
      run: () => chat.setThinkingLimit(limit),
    })),
    ...THEMES.map(({ theme, label }) => ({
      id: `theme-${theme}`,
      label,
      run: () => settings.change({ theme }),
    })),
  ];
}

function labCommands({ app }: CommandHost): Keyless[] {
  const { lab } = app;
  const views = LAB_VIEWS.map(({ id, title }) => ({
    id: `lab-${id}`,
    label: `State lab: ${title}`,
    run: () => void lab.open(id),
  }));
  return lab.isOpen
    ? [...views, { id: 'lab-close', label: 'Close the state lab', run: () => void lab.close() }]
    : views;
}

/** Every command, the most likely first. */
export function allCommands(host: CommandHost): readonly Command[] {
  const { app, prompts, act } = host;
  const { list, chat, library, lab, settings } = app;
  const isMac = isMacKeyboard(navigator.platform);
  const keys = (id: string): { keys?: readonly string[] } => {
    const known = SHORTCUTS.find(({ action }) => action === id);
    if (known === undefined) return {};
    return { keys: keysOf(comboFor(known.action, settings.values.keys), isMac) };
  };
  const inGroup = (group: string, commands: readonly Keyless[]): Command[] =>
    commands.map((command) => ({ ...command, ...keys(command.id), group }));
  return [
    ...inGroup('This chat', replyCommands(host)),
    ...inGroup(
      'Action',
      PAGES.filter(({ action }) => action.kind !== 'share' || chat.path.length > 0).map(
        ({ action, ...rest }) => ({ ...rest, id: action.kind, run: () => act(action) }),
      ),
    ),
    ...inGroup(
      'Prompt',
      (prompts?.list ?? []).map((prompt) => ({
        id: `prompt-${prompt.id}`,
        label: prompt.name,
        run: () => act({ kind: 'use-prompt', prompt }),
      })),
    ),
    ...inGroup(
      'Chat',
      list.items
        .filter(({ id }) => id !== chat.conversation.id)
        .map(({ id, title }) => ({
          id: `chat-${id}`,
          label: title,
          run: () => act({ kind: 'open-chat', id }),
        })),
    ),
    ...inGroup('Lab', labCommands(host)),
    ...inGroup(
      'Lesson',
      LESSONS.map(({ id, title }) => ({
        id: `lesson-${id}`,
        label: title,
        run: () => {
          lab.lesson = id;
          void lab.open('lessons');
        },
      })),
    ),
    ...inGroup(
      'Model',
      library.models
        .filter(({ role }) => role !== 'test')
        .map(({ key, title }) => ({
          id: `model-${key}`,
          label: title,
          run: () => act({ kind: 'models', show: key }),
        })),
    ),
    ...inGroup('Setting', settingCommands(host)),
  ];
}

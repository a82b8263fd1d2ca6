/** Owns the list of all that the page can be told to do, as it stands now. Runs nothing by itself. */
import { t } from '../../core/language/translate';
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
  {
    action: { kind: 'new-chat' },
    get label() {
      return t('New chat');
    },
  },
  {
    action: { kind: 'focus-message' },
    get label() {
      return t('Go to the message box');
    },
  },
  {
    action: { kind: 'add-file' },
    get label() {
      return t('Add a file to the message');
    },
    get detail() {
      return t('text, CSV, PDF');
    },
  },
  {
    action: { kind: 'prompts' },
    get label() {
      return t('Prompts');
    },
    get detail() {
      return t('saved instructions, questions');
    },
  },
  {
    action: { kind: 'models' },
    get label() {
      return t('Choose a model');
    },
    get detail() {
      return t('library, server');
    },
  },
  {
    action: { kind: 'settings' },
    get label() {
      return t('Settings');
    },
    get detail() {
      return t('sampling, tools, device');
    },
  },
  {
    action: { kind: 'transfer' },
    get label() {
      return t('Export and import chats');
    },
  },
  {
    action: { kind: 'share' },
    get label() {
      return t('Share this chat');
    },
    get detail() {
      return t('link, picture, paper');
    },
  },
  {
    action: { kind: 'second-model' },
    get label() {
      return t('Let two models answer');
    },
  },
  {
    action: { kind: 'judge' },
    get label() {
      return t('Judge replies');
    },
    get detail() {
      return t('rubric, scores');
    },
  },
  {
    action: { kind: 'report' },
    get label() {
      return t('Report on impact');
    },
    get detail() {
      return t('bias, privacy, energy');
    },
  },
  {
    action: { kind: 'storage' },
    get label() {
      return t('Storage');
    },
    get detail() {
      return t('what is kept, delete');
    },
  },
  {
    action: { kind: 'help' },
    get label() {
      return t('Help and keys');
    },
    detail: 'shortcuts',
  },
  {
    action: { kind: 'bench' },
    get label() {
      return t('Measure this device');
    },
    detail: 'benchmark',
  },
];

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  {
    theme: 'light',
    get label() {
      return t('Light colours');
    },
  },
  {
    theme: 'dark',
    get label() {
      return t('Dark colours');
    },
  },
  {
    theme: 'system',
    get label() {
      return t('Colours as the system');
    },
  },
];

function replyCommands({ app }: CommandHost): Keyless[] {
  const { chat } = app;
  if (chat.isBusy)
    return [
      { id: 'stop', label: t('Stop the reply'), detail: 'Escape', run: () => chat.stop() },
      {
        id: 'answer-now',
        label: t('Answer now'),
        detail: t('end the thought'),
        run: () => chat.answerNow(),
      },
    ];
  const last = activeLeaf(chat.conversation.tree);
  if (last?.role !== 'assistant') return [];
  return [
    {
      id: 'regenerate',
      label: t('Another answer to the last question'),
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
      label: t('Thinking limit: {limit}', { limit: limitInWords(limit).toLowerCase() }),
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
    label: t('State lab: {title}', { title }),
    run: () => void lab.open(id),
  }));
  return lab.isOpen
    ? [...views, { id: 'lab-close', label: t('Close the state lab'), run: () => void lab.close() }]
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
    ...inGroup(t('This chat'), replyCommands(host)),
    ...inGroup(
      t('Action'),
      PAGES.filter(({ action }) => action.kind !== 'share' || chat.path.length > 0).map(
        ({ action, ...rest }) => ({ ...rest, id: action.kind, run: () => act(action) }),
      ),
    ),
    ...inGroup(
      t('Prompt'),
      (prompts?.list ?? []).map((prompt) => ({
        id: `prompt-${prompt.id}`,
        label: prompt.name,
        run: () => act({ kind: 'use-prompt', prompt }),
      })),
    ),
    ...inGroup(
      t('Chat'),
      list.items
        .filter(({ id }) => id !== chat.conversation.id)
        .map(({ id, title }) => ({
          id: `chat-${id}`,
          label: title,
          run: () => act({ kind: 'open-chat', id }),
        })),
    ),
    ...inGroup(t('Lab'), labCommands(host)),
    ...inGroup(
      t('Lesson'),
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
      t('Model'),
      library.models
        .filter(({ role }) => role !== 'test')
        .map(({ key, title }) => ({
          id: `model-${key}`,
          label: title,
          run: () => act({ kind: 'models', show: key }),
        })),
    ),
    ...inGroup(t('Setting'), settingCommands(host)),
  ];
}

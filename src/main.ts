/** The only place that wires things together: engine, storage, state, page. */
import { said, t } from './core/language/translate';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { hasEngineRoom } from './core/engine-room';
import { isOwnMachine } from './core/own-machine';
import { readEmbed } from './core/embed';
import { SERVER_KEY_PREFIX } from './core/server/server-target';
import { EngineError } from './core/errors';
import { languageOfTag } from './core/language/load-language';
import { addressAfterLaunch, readLaunch } from './core/launch';
import type { Engine } from './engine/engine';
import { countOtherEngines, EngineClient } from './engine/engine-client';
import { EngineSwitch } from './engine/engine-switch';
import type { ServerHost } from './engine/server/server-http';
import { StandbyEngine } from './engine/standby-engine';
import { ModelStore } from './model-files/model-store';
import { ALLOWED_SERVERS } from './models/allowed-servers';
import { toldMemoryBytes } from './models/device-probe';
import { isModelHost } from './models/model-hosts';
import {
  EMBEDDED_MODELS,
  LARGER_MODEL,
  modelUrlOf,
  REGISTRY,
  SITE_MODELS,
  type EmbeddedEntry,
} from './models/registry';
import { Pwa } from './pwa/pwa.svelte';
import { trustOwnScripts } from './pwa/trusted-script-urls';
import type { AppState } from './state/app-context';
import { TappedEngine } from './state/lab/lab-engine';
import { Lab } from './state/lab/lab.svelte';
import { BudgetStudy } from './state/budget-study.svelte';
import { ChatSession } from './state/chat-session.svelte';
import { deathInWords } from './state/death-words';
import { ConversationList } from './state/conversation-list.svelte';
import { FileSlot } from './state/files/file-slot.svelte';
import { JudgeSlot } from './state/judge/judge-slot.svelte';
import { KeptThings } from './state/kept-things.svelte';
import { openLoadGuard } from './state/load-guard';
import { asEngineError, ModelStatus } from './state/model-status.svelte';
import { isPhone, readConnection, readDeviceOffer } from './state/models/device-offer';
import { HubClient } from './state/models/hub-client';
import { LargerSlot } from './state/models/larger-slot.svelte';
import { SecondSlot } from './state/models/second-slot.svelte';
import { BROWSER_ENTRY, ModelLibrary } from './state/models/model-library.svelte';
import { PageLanguage } from './state/page-language.svelte';
import { Notices } from './state/notices.svelte';
import { PromptSlot } from './state/prompts/prompt-slot.svelte';
import { Report } from './state/report/report.svelte';
import type { Servers } from './state/servers.svelte';
import { Settings } from './state/settings.svelte';
import { SharedView } from './state/shared-view.svelte';
import { chatOfHash, sharedOfHash } from './ui/address';
import { TabDrafts, type TabStorage } from './state/tab-drafts';
import { VoiceSlot } from './state/voice/voice-slot.svelte';
import { openStorage } from './storage/open-storage';
import { flushWhenHidden } from './storage/throttled-save';

const query = new URLSearchParams(location.search);

/** The real engine; in builds that are not for people, `?engine=fake:NAME&pace=MS` gives a scripted one. */
async function createEngine(): Promise<{
  readonly standbyEngine: StandbyEngine;
  readonly spawn: () => Engine;
}> {
  const name = query.get('engine');
  if (import.meta.env.MODE !== 'production' && name !== null) {
    const { createFakeEngine } = await import('./engine/fake-engine');
    const create = (): Engine => createFakeEngine(name, Number(query.get('pace') ?? 30));
    return { standbyEngine: new StandbyEngine(create(), create), spawn: create };
  }
  const client = new EngineClient();
  // Its code is on the way while the page is made; where the page may reload for its headers, that would be in vain, and
  // where other tabs run engines it is seen later whether one more may.
  if (globalThis.crossOriginIsolated)
    void countOtherEngines().then((count) => {
      if (count === 0) client.prepare();
    });
  const spawn = (): Engine => new EngineClient();
  return { standbyEngine: new StandbyEngine(client, spawn), spawn };
}

/** What a server is asked with; its code comes when a server is first asked. */
async function serverHost(): Promise<ServerHost> {
  const [{ browserHost }, { publishedTemplate }] = await Promise.all([
    import('./engine/server/browser-host'),
    import('./state/models/published-template'),
  ]);
  const from = {
    fetch: (url: string) => fetch(url),
    baseUrl: document.baseURI,
    hub: () => settings.values.hub,
  };
  return browserHost(ALLOWED_SERVERS, (name) => publishedTemplate(from, name));
}

async function createServerEngine(): Promise<Engine> {
  const { ServerEngine } = await import('./engine/server/server-engine');
  return new ServerEngine(await serverHost());
}

async function createBrowserEngine(): Promise<Engine> {
  const { BrowserEngine } = await import('./engine/browser/browser-engine');
  return new BrowserEngine();
}

const OTHER_ENGINES = { server: createServerEngine, browser: createBrowserEngine };

/** The servers that were added; read when first asked for, and again where their code did not arrive. */
function openServers(): Promise<Servers> {
  openedServers ??= readServers().catch((error: unknown) => {
    openedServers = null;
    throw error;
  });
  return openedServers;
}

async function readServers(): Promise<Servers> {
  const { Servers } = await import('./state/servers.svelte');
  const servers = new Servers({
    store: storage.connections,
    probe: async (asked) => {
      const { probeServer } = await import('./engine/server/probe-server');
      return probeServer(await serverHost(), asked);
    },
    library: () => library,
    newId: () => crypto.randomUUID(),
    onProblem: onStorageProblem,
  });
  await servers.load();
  return servers;
}

/** The tab's own storage; null where the browser forbids even to name it. */
function tabStorage(): TabStorage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** Puts what another app shares into the box of a new chat, and opens what a shortcut names. */
async function takeLaunch(): Promise<void> {
  const { draft, isCut, open, files: shared } = readLaunch(query);
  if (draft === null && open === null && shared === null) return;
  history.replaceState(history.state, '', addressAfterLaunch(new URL(location.href)));
  if (open !== null) void lab.open(open === 'lessons' ? 'lessons' : undefined);
  if (draft === null && shared === null) return;
  chat.startNew();
  await chat.loadDraft();
  if (shared !== null) {
    const { takeSharedFiles } = await import('./state/files/shared-files');
    await takeSharedFiles(files, notices);
  }
  if (draft === null) return;
  // What was begun here before is not lost to it.
  chat.draft = chat.draft.trim() === '' ? draft : `${chat.draft}\n\n${draft}`;
  notices.show(
    isCut
      ? t(
          'The shared text is in the message box. Only its beginning fits. Nothing is sent until you send it.',
        )
      : t('The shared text is in the message box. Nothing is sent until you send it.'),
  );
}

/** Starts the model, unless other tabs run theirs and the device may not have memory for one more. */
async function startModel(): Promise<void> {
  // An address that names a model means that one, whatever was chosen before.
  const remembered = wanted === null ? settings.values.model : null;
  // The larger model comes later, behind this one.
  const chosen = remembered?.key === LARGER_MODEL?.id ? null : remembered;
  // Neither a server nor the browser's own model needs room here.
  if (chosen?.key === BROWSER_ENTRY.key || chosen?.key.startsWith(SERVER_KEY_PREFIX) === true) {
    await library.start(settings.values.device);
    return;
  }
  const listing = chosen === null ? null : await modelStore.listing(chosen.prefix);
  const weightBytes =
    listing === null
      ? Math.max(0, ...(model?.variants ?? []).map(({ bytes }) => bytes))
      : listing.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const otherEngines = await countOtherEngines();
  if (!hasEngineRoom(otherEngines, weightBytes, toldMemoryBytes())) {
    status.refuse(
      new EngineError(
        'busy',
        'Another tab runs the model already, and this device may not have memory for two.',
        'Go on there, or try again to run it here as well. Your chats are the same in both.',
      ),
    );
    return;
  }
  if (otherEngines > 0) {
    notices.show(
      t(
        'Tidepool is open in another tab too. Your chats are the same in both; each runs a model of its own.',
      ),
    );
  }
  await (wanted === null
    ? library.start(settings.values.device)
    : status.start(settings.values.device));
}

/** When the embedded model answers: the larger one that the build may have is offered, or gets ready behind it. */
async function beginLarger(smaller: EmbeddedEntry): Promise<void> {
  const isElsewhere = wanted !== null || library.current.key !== smaller.id;
  if (LARGER_MODEL === null || isElsewhere || status.phase !== 'ready') return;
  const isInBuild = (await library.siteIndex())?.has(LARGER_MODEL.id) === true;
  if (!isInBuild && settings.values.model?.key !== LARGER_MODEL.id) return;
  const { LargerModel } = await import('./state/models/larger-model.svelte');
  larger.model = new LargerModel({
    larger: LARGER_MODEL,
    smaller,
    baseUrl: document.baseURI,
    library,
    status,
    settings,
    notices,
    standby: standbyEngine,
    guard: openLoadGuard(),
    runAlone: (work) => chat.runAlone(work),
    beforeTakeOver: async () => {
      await lab.beforeReply();
      chat.memory = null;
    },
    hasConversation: (): boolean => chat.path.length > 0,
    isOwnMachine: isOwnMachine(location.hostname),
    isPhone: isPhone(),
    connection: readConnection,
    // Given is all that it takes; asked is for weights, of which an engine holds two copies.
    hasEngineRoom: async (bytes) =>
      hasEngineRoom(await countOtherEngines(), bytes / 2, toldMemoryBytes()),
  });
  await larger.model.begin();
}

/** A server takes no memory here; else the first model's engine is one more, as large as the larger of the two. */
async function hasRoomBeside(bytes: number): Promise<boolean> {
  return hasEngineRoom(
    (await countOtherEngines()) + (status.place === null && !status.isBrowserModel ? 1 : 0),
    Math.max(bytes, status.model?.weightBytes ?? 0),
    toldMemoryBytes(),
  );
}

let openedServers: Promise<Servers> | null = null;
let noteModelTried = (): void => {};
const modelTried = new Promise<void>((resolve) => {
  noteModelTried = resolve;
});

trustOwnScripts();
const notices = new Notices();
const embed = readEmbed(
  query,
  SITE_MODELS.map(({ id }) => id),
);
const storage = openStorage(
  (sentence) => notices.show(said(sentence), { tone: 'trouble' }),
  embed === null,
);
const onStorageProblem = (error: unknown): void => {
  const { message, remedy } = asEngineError(error);
  notices.show(`${said(message)} ${said(remedy)}`, { tone: 'trouble' });
};

const { standbyEngine, spawn } = await createEngine();
const engine = new TappedEngine(new EngineSwitch(standbyEngine, OTHER_ENGINES));
const settings = new Settings(storage.settings, onStorageProblem);
await settings.load();
const language = new PageLanguage(() => navigator.languages);
const linkedLanguage = languageOfTag(query.get('lang'));
if (linkedLanguage !== null && linkedLanguage !== settings.values.language)
  settings.change({ language: linkedLanguage });
await language.follow(settings.values.language);
const wanted = query.get('model');
const model = SITE_MODELS.find(({ id }) => id === wanted) ?? EMBEDDED_MODELS[0];
if (model === undefined) throw new Error('the registry names no model');
const modelUrl = modelUrlOf(model, document.baseURI);
const status = new ModelStatus(engine, modelUrl, () => performance.now(), openLoadGuard());
status.rewriteFourBit = settings.values.rewriteFourBit;
const pwa = new Pwa(modelUrl);
// Under `npm run dev` a service worker would answer with what was, not with what was just written.
const pwaStarted =
  import.meta.env.PROD && embed === null ? pwa.start(modelTried) : Promise.resolve();
const lab = new Lab(engine, status);
engine.listener = lab;
const list = new ConversationList(storage.conversations, onStorageProblem);
await list.load();
const drafts = new TabDrafts(storage.drafts, embed === null ? tabStorage() : null);
const chat: ChatSession = new ChatSession({
  engine,
  status,
  settings,
  keep: list.keep,
  drafts,
  writer: (): string => library.current.title,
});
const files = new FileSlot(
  async () => {
    const [{ PendingFiles }, { readFile }] = await Promise.all([
      import('./state/files/pending-files.svelte'),
      import('./state/files/read-file'),
    ]);
    const count = engine.countTokens.bind(engine);
    return new PendingFiles({ chat, status, settings, count, read: readFile });
  },
  () =>
    notices.show(
      t(
        'The part of the app that reads files did not arrive. Check the connection, then add the file again.',
      ),
      { tone: 'trouble' },
    ),
);
const prompts = new PromptSlot(async () => {
  const [{ Prompts }, store] = await Promise.all([
    import('./state/prompts/prompts.svelte'),
    storage.prompts(),
  ]);
  const made = new Prompts({
    store,
    newId: () => crypto.randomUUID(),
    onProblem: onStorageProblem,
  });
  await made.load();
  return made;
});
const voice = new VoiceSlot(async () => {
  const [{ Voice }, { browserSpeech }] = await Promise.all([
    import('./state/voice/voice.svelte'),
    import('./state/voice/browser-speech'),
  ]);
  return new Voice(browserSpeech());
});
const study = new BudgetStudy({
  engine,
  status,
  modelUrl: () => library.siteUrl,
  runAlone: (work) => chat.runAlone(work),
  fetch: (url) => fetch(url),
});
const linked = embed === null ? chatOfHash(location.hash) : null;
const opened = linked === null ? null : await list.read(linked);
if (opened === null) await chat.loadDraft();
else chat.open(opened);
await takeLaunch();

status.onDeath = (death) => {
  const sentence = deathInWords(death, chat.isBusy);
  if (sentence !== null) notices.show(sentence, { tone: 'trouble' });
  void larger.model?.onDeath(death);
};

flushWhenHidden(document, () => {
  chat.keepNow();
  void storage.drafts.flush();
});
storage.conversations.onChange((change) => {
  if (change.type === 'settings') void settings.load();
});

const modelStore = new ModelStore('caches' in globalThis ? caches : undefined);
const library: ModelLibrary = new ModelLibrary({
  registry: REGISTRY,
  embedded: model,
  baseUrl: document.baseURI,
  status,
  settings,
  notices,
  hub: new HubClient({
    fetch: (url, init) => fetch(url, init),
    isOnline: () => navigator.onLine,
    isAllowed: (url) => isModelHost(url, location.origin),
  }),
  store: modelStore,
  serverTarget: async (key, name) =>
    key.startsWith(SERVER_KEY_PREFIX) ? (await openServers()).target(key, name) : null,
  fetch: (url, init) => fetch(url, init),
  readOffer: readDeviceOffer,
  browser: navigator,
  ...('locks' in navigator ? { locks: navigator.locks } : {}),
  hasConversation: (): boolean => chat.path.length > 0,
  onKept: () => {
    void pwa.look();
    // Something large is here now: losing it would cost a download.
    void pwa.askToPersist();
  },
});
const larger = new LargerSlot();
const shared = new SharedView();
if (embed === null) void shared.follow(sharedOfHash(location.hash));
const second = new SecondSlot(async () => {
  const { SecondModel } = await import('./state/models/second-model.svelte');
  return new SecondModel({
    chat,
    library,
    servers: await openServers(),
    settings,
    status,
    engine,
    baseUrl: document.baseURI,
    spawn,
    serverEngine: createServerEngine,
    hasEngineRoom: hasRoomBeside,
    beforeExchange: () => lab.beforeReply(),
  });
});
const judge = new JudgeSlot(async () => {
  const [{ Judge }, { JudgeEngines }, { nativeModel }, store, servers] = await Promise.all([
    import('./state/judge/judge.svelte'),
    import('./state/judge/judge-engines.svelte'),
    import('./engine/browser/native-model'),
    storage.judge(),
    openServers(),
  ]);
  const engines = new JudgeEngines({
    library,
    servers,
    settings,
    status,
    engine,
    runAlone: (work) => chat.runAlone(work),
    baseUrl: document.baseURI,
    spawn,
    serverEngine: createServerEngine,
    browserEngine: createBrowserEngine,
    hasBrowserModel: () => nativeModel() !== null,
    hasEngineRoom: hasRoomBeside,
  });
  const made = new Judge({
    engines,
    store,
    fetchTasks: async () => (await fetch(new URL('judge/tasks.jsonl', document.baseURI))).text(),
    now: () => performance.now(),
    onProblem: onStorageProblem,
  });
  await made.load();
  return made;
});
const report = new Report(() => fetch(new URL('models/impact.json', document.baseURI)));
const kept = new KeptThings({
  models: modelStore,
  housekeeping: storage.housekeeping,
  isPersistent: () => storage.isPersistent(),
  onProblem: onStorageProblem,
});
const app: AppState = {
  chat,
  status,
  list,
  settings,
  notices,
  lab,
  study,
  library,
  larger,
  second,
  judge,
  report,
  kept,
  openServers,
  files,
  shared,
  isEmbedded: embed !== null,
  prompts,
  voice,
  language,
};
const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');
target.replaceChildren(); // the words that stand there until now
if (embed === null) {
  mount(App, { target, props: { app, pwa } });
  await pwa.becomeIsolated(pwaStarted);
} else {
  settings.change({ theme: embed.theme });
  if (embed.limit !== null) chat.setThinkingLimit(embed.limit);
  for (const problem of embed.problems) notices.show(problem, { tone: 'trouble' });
  const { default: EmbedPage } = await import('./ui/embed/EmbedPage.svelte');
  mount(EmbedPage, { target, props: { app, pwa } });
}
await startModel().finally(noteModelTried);
if (embed === null) await beginLarger(model);

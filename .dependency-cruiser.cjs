// Owns the borders between folders: ui -> state -> {engine, storage, model-files} -> {protocol, models} -> core, lib -> {engine, model-files, …},
// workers -> {protocol, models, model-files, core}, one importer for each heavy package, and no cycles.

const source = '^(src|workers)/';

/** A layer in src/ and the layers below it that it may import. */
const mayImport = {
  core: [],
  protocol: ['core'],
  models: ['core', 'protocol'],
  'model-files': ['models', 'protocol', 'core'],
  storage: ['models', 'protocol', 'core'],
  engine: ['models', 'protocol', 'core'],
  state: ['engine', 'storage', 'model-files', 'models', 'protocol', 'core'],
  lib: ['engine', 'model-files', 'models', 'protocol', 'core'],
  pwa: ['core'],
  ui: ['state', 'pwa', 'engine', 'storage', 'model-files', 'models', 'protocol', 'core'],
};

const layerRules = Object.entries(mayImport).map(([layer, below]) => ({
  name: `border-${layer}`,
  comment: `src/${layer} may import only itself${below.length > 0 ? ` and ${below.join(', ')}` : ''}.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: source, pathNot: `^src/(${[layer, ...below].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'border-workers',
      comment: 'Workers share only protocol, models, model-files and core with the page.',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^src/', pathNot: '^src/(protocol|models|model-files|core)/' },
    },
    {
      name: 'border-page-to-workers',
      comment: 'The page names a worker only in `new URL(...)`; it imports nothing from it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^workers/' },
    },
    {
      name: 'core-is-pure',
      comment: 'src/core imports no package and no Node module.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown', 'core'] },
    },
    {
      name: 'one-importer-of-onnxruntime',
      comment:
        'Only workers/runtime/session.ts imports onnxruntime-web; the stock library under measurement names its files.',
      severity: 'error',
      from: {
        path: source,
        pathNot: '^workers/(runtime/session|bench/transformers\\.worker)\\.ts$',
      },
      // Types carry no code: heap-runner.ts names those of the sessions that session.ts hands it.
      to: {
        path: '(^|node_modules/)onnxruntime-(web|common)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'one-importer-of-transformers',
      comment:
        'Only workers/runtime/hub.ts imports @huggingface/transformers; bench/ measures the stock library.',
      severity: 'error',
      from: { path: source, pathNot: '^workers/(runtime/hub|bench/transformers\\.worker)\\.ts$' },
      to: { path: '(^|node_modules/)@huggingface/', pathNot: '@huggingface/jinja' },
    },
    {
      name: 'one-importer-of-jinja',
      comment:
        'Only the ways to go on from a closed thought write prompts by a template outside the workers.',
      severity: 'error',
      from: { path: source, pathNot: '^src/engine/server/closing-ways\\.ts$' },
      to: { path: '(^|node_modules/)@huggingface/jinja' },
    },
    {
      name: 'one-importer-of-idb',
      comment: 'Only src/storage speaks to IndexedDB.',
      severity: 'error',
      from: { path: source, pathNot: '^src/storage/' },
      to: { path: 'node_modules/idb/' },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What is shipped is in "dependencies"; Svelte compiles away and is the exception.',
      severity: 'error',
      from: { path: source },
      to: {
        dependencyTypes: ['npm-dev', 'npm-unknown', 'npm-no-pkg'],
        pathNot: 'node_modules/svelte/|\\?url$',
      },
    },
    {
      name: 'no-tests-in-source',
      comment: 'Source never imports tests, scripts or configuration.',
      severity: 'error',
      from: { path: source },
      to: { path: '^(tests|scripts)/|\\.config\\.' },
    },
    {
      name: 'no-cycles',
      comment:
        'A cycle means that two modules are one idea, or that a third is missing between them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment:
        'An import that leads nowhere escapes every other rule. Vite resolves `?url` itself.',
      severity: 'error',
      from: { path: source },
      to: { couldNotResolve: true, pathNot: '\\?url$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.page.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'browser', 'import', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.d.ts', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};

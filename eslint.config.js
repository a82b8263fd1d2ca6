// Owns the rules of style and safety for TypeScript and Svelte; borders between folders are in .dependency-cruiser.cjs.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default defineConfig(
  globalIgnores([
    'dist*/',
    'public/',
    'model/',
    'coverage/',
    'test-results/',
    'playwright-report/',
    '.cache/',
  ]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  ts.configs.stylisticTypeChecked,
  svelte.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        // The same for every file: where they differ the service loads the whole project anew, file after file.
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in a sentence are wanted; objects and undefined in a sentence are mistakes.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // TypeScript's noPropertyAccessFromIndexSignature asks for the brackets that this rule forbids.
      '@typescript-eslint/dot-notation': 'off',
      // `() => void f()` and `onclick={() => state.stop()}` are clear as they stand.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // A callback that ignores its work is said with an empty body and a comment; ESLint checks for the comment.
      '@typescript-eslint/no-empty-function': 'off',
      // Interfaces in protocol/ are also implemented by synchronous fakes.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Write a union of string literals.' },
        {
          selector: 'ExportAllDeclaration',
          message: 'Name what you export; barrel files hide where a thing lives.',
        },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        parser: ts.parser,
        svelteConfig,
      },
    },
    rules: {
      // Model text is text: the few trusted places (highlighted code, maths) disable this line by line, with the reason.
      'svelte/no-at-html-tags': 'error',
      // `let { a = $bindable() } = $props()` cannot be const in part.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { excludedRunes: ['$props', '$state'] }],
    },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      // ESLint sees a component in another file as `any`; svelte-check knows its types and checks these.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // The pure part: nothing that only a browser, a worker or Node has.
    files: ['src/core/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['window', 'document', 'self', 'navigator', 'location', 'localStorage', 'indexedDB'],
        ...['fetch', 'caches', 'process', 'Worker', 'MessageChannel', 'setTimeout', 'setInterval'],
        ...['requestAnimationFrame', 'performance'],
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Take a seeded generator as an argument.' },
        { object: 'Date', property: 'now', message: 'Take the time as an argument.' },
      ],
    },
  },
  {
    files: ['scripts/**', 'tests/bench/**', '*.config.{js,ts}'],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' },
  },
  {
    // In plain JavaScript a JSDoc type is the only way to name what JSON.parse gave; tsc checks the rest.
    files: ['scripts/**/*.js'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    files: ['**/*.cjs'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: globals.node, sourceType: 'commonjs' },
  },
  {
    // Playwright's page functions run in the browser and often answer with loosely typed values.
    files: ['tests/**'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
);

// registry.json holds to its schema, every fact in it is named by a source, and every config gives a stack.
import { Ajv } from 'ajv';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  EMBEDDED_MODELS,
  modelUrlOf,
  REGISTRY,
  VARIANT_MODELS,
} from '../../../src/models/registry';
import registryJson from '../../../src/models/registry.json';
import schemaJson from '../../../src/models/registry.schema.json';
import { countParts } from '../../../src/models/families';
import { readStack, stackStateBytes } from '../../../src/models/stack';

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schemaJson);

/** The registry with one entry changed. */
function changed(change: Readonly<Record<string, unknown>>): unknown {
  const [first, ...rest] = registryJson.models;
  return { ...registryJson, models: [{ ...first, ...change }, ...rest] };
}

describe('registry.json', () => {
  it('holds to its schema', () => {
    validate(registryJson);
    expect(validate.errors).toBeNull();
  });

  it('has a schema that refuses what is wrong', () => {
    for (const wrong of [
      { id: 'Has Blanks' },
      { parameters: 1.5 },
      { parameters: '4B' },
      // The first comes with the app: its own manifest states these.
      { parameters: 1_702_716 },
      { contextTokens: 2048 },
      { home: { kind: 'hub', repo: 'no-owner' } },
      { thinking: { kind: 'perhaps', how: 'x' } },
      { sources: [] },
      { sources: [{ url: 'http://example.org', checked: '2026-11-23', facts: ['config'] }] },
      { variants: [{ dtype: 'q4', bytes: 5, isRounded: false }] },
      { unknownField: 1 },
    ])
      expect(validate(changed(wrong)), JSON.stringify(wrong)).toBe(false);
  });

  it('names each model once', () => {
    const ids = REGISTRY.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('begins with the embedded model, whose files are there', async () => {
    expect(EMBEDDED_MODELS.map(({ id }) => id)).toEqual(['tidepool', 'micro']);
    for (const entry of EMBEDDED_MODELS) {
      const folder = new URL(`../../../public/${entry.home.path}`, import.meta.url);
      const config: unknown = JSON.parse(await readFile(new URL('config.json', folder), 'utf8'));
      expect(readStack(config).layers.length).toBeGreaterThan(0);
      expect(modelUrlOf(entry, 'https://example.org/app/')).toBe(
        `https://example.org/app/${entry.home.path}`,
      );
    }
  });

  it('names every variant of the embedded model that is there', () => {
    const models = new URL('../../../public/models/', import.meta.url);
    const there = readdirSync(models).filter(
      (name) =>
        name.startsWith('tidepool-') && existsSync(new URL(`${name}/manifest.json`, models)),
    );
    expect(there).toContain('tidepool-nvfp4');
    const named = new Map(VARIANT_MODELS.map(({ id, home }) => [id, home.path]));
    for (const name of there) expect(named.get(name)).toBe(`models/${name}/`);
  });

  it('has every family that issue 7 asks for', () => {
    const families = REGISTRY.map(({ config }) => config?.['model_type']);
    expect(new Set(families)).toEqual(
      new Set([
        undefined,
        'nemotron_h',
        'granitemoehybrid',
        'falcon_h1',
        'lfm2',
        'lfm2_moe',
        'qwen3_5',
        'olmo_hybrid',
        'qwen3',
      ]),
    );
  });
});

describe.each(
  REGISTRY.filter(({ home }) => home.kind === 'hub').map((entry) => [entry.id, entry] as const),
)('%s', (_id, entry) => {
  it('names a source for each fact it states', () => {
    const sourced = new Set(entry.sources.flatMap(({ facts }) => facts));
    const stated: Readonly<Record<string, unknown>> = {
      home: entry.home.kind === 'hub' ? entry.home.repo : null,
      parameters: entry.parameters,
      activeParameters: entry.activeParameters,
      contextTokens: entry.contextTokens,
      config: entry.config,
      variants: entry.variants.length > 0 ? entry.variants : null,
      licence: entry.licence,
      languages: entry.languages,
      thinking: entry.thinking,
    };
    for (const [fact, value] of Object.entries(stated))
      if (value !== null) expect([...sourced], fact).toContain(fact);
  });

  it('has a config that tells its layers and states', () => {
    const stack = readStack(entry.config);
    expect(stack.layers.length).toBeGreaterThan(0);
    expect(stackStateBytes(stack, 4096, 'q4')).toBeGreaterThan(0);
  });

  it('can keep what it says of its layers', () => {
    if (entry.role !== 'contrast') return;
    expect([...countParts(readStack(entry.config).layers).keys()]).toEqual(['attention', 'mlp']);
  });
});

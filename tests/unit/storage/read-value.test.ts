/** What is wrong with a file or a link is said wholly in the page's language. */
import { afterEach, describe, expect, it } from 'vitest';
import de from '../../../src/core/language/de.json';
import es from '../../../src/core/language/es.json';
import { recogniserOf } from '../../../src/core/language/recognise';
import { said, speak, type LanguageCode } from '../../../src/core/language/translate';
import { importConversations } from '../../../src/storage/import-conversations';
import {
  readBoolean,
  readInteger,
  readList,
  readObject,
  readOneOf,
  readText,
} from '../../../src/storage/read-value';
import { readWholeExport } from '../../../src/storage/whole-export';

const TABLES = { de, es } as const;

function use(code: Exclude<LanguageCode, 'en'>): void {
  speak(code, { page: TABLES[code].page, said: recogniserOf(TABLES[code].said) });
}

afterEach(() => speak('en'));

function problemOf(reading: () => unknown): string {
  try {
    reading();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was read');
}

async function refusalOf(json: string): Promise<string> {
  try {
    await readWholeExport(json, () => 'id');
  } catch (error) {
    return said((error as Error).message);
  }
  throw new Error('it was read');
}

describe('a value that is not as it should be', () => {
  it.each<[() => unknown, string, string]>([
    [() => readObject([1, 2], 'x'), 'ein Objekt', 'eine Liste von 2'],
    [() => readText({}, 'x', 5), 'ein Text von höchstens 5 Zeichen', 'ein Objekt'],
    [() => readOneOf('z', 'x', ['a', 'b']), 'eines von a, b', '"z"'],
    [() => readInteger(1.5, 'x', 0, 9), 'eine ganze Zahl', '1.5'],
    [() => readInteger(10, 'x', 0, 9), 'eine Zahl von 0 bis 9', '10'],
    [() => readBoolean(null, 'x'), 'true oder false', 'null'],
    [
      () => readList('y'.repeat(41), 'x', 3, () => 0),
      'eine Liste von höchstens 3',
      'ein Text von 41 Zeichen',
    ],
  ])('%s is said in German', (reading, expected, found) => {
    use('de');
    expect(problemOf(reading)).toBe(`x sollte ${expected} sein, ist aber ${found}`);
  });
});

describe('a file that is refused', () => {
  it.each([
    ['de', 'nonsense', 'Die Datei wurde nicht importiert: sie ist kein JSON.'],
    ['es', 'nonsense', 'El archivo no se importó: no es JSON.'],
    [
      'de',
      JSON.stringify({ format: 'tidepool-everything', version: 9 }),
      'Die Datei wurde nicht importiert: ihre Version sollte eine Zahl von 1 bis 2 sein, ist aber 9.',
    ],
    [
      'es',
      JSON.stringify({ format: 'tidepool-everything', version: 9 }),
      'El archivo no se importó: su versión debería ser un número de 1 a 2, pero es 9.',
    ],
  ] as const)('is told of in %s', async (code, json, sentence) => {
    use(code);
    expect(await refusalOf(json)).toBe(sentence);
  });

  it('names a conversation of it', async () => {
    use('de');
    const json = JSON.stringify({
      format: 'tidepool-conversations',
      version: 2,
      conversations: [{ id: 7 }],
    });
    const target = { load: async () => null, save: async () => {} };
    const { problems } = await importConversations(json, target, () => 'id');
    expect(problems.map(said)).toEqual([
      'Unterhaltung 1.id sollte eine Kennung aus 1 bis 64 Buchstaben, Ziffern oder Bindestrichen sein, ist aber 7.',
    ]);
  });
});

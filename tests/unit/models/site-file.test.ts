/** A broken file of the site is named once, with what it holds, and in the page's language. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import de from '../../../src/core/language/de.json';
import es from '../../../src/core/language/es.json';
import { recogniserOf } from '../../../src/core/language/recognise';
import { asArray } from '../../../src/models/config-fields';
import { siteFile } from '../../../src/models/site-file';

const FILE = siteFile('impact.json', 'the report');

function refusal(reading: () => unknown): EngineError {
  try {
    FILE.read(reading);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a file of the site', () => {
  it('gives what was read', () => {
    expect(FILE.read(() => asArray([7], 'systems'))).toEqual([7]);
  });

  it('is named in the error of a field, and once', () => {
    const named = 'impact.json, which holds the report, cannot be read: systems is not a list.';
    const ofField = refusal(() => asArray(7, 'systems'));
    expect([ofField.code, ofField.message]).toEqual(['model-corrupt', named]);
    expect(ofField.remedy).toContain('Load the page again');
    const again = refusal(() => {
      throw FILE.broken('systems is not a list.');
    });
    expect(again.message).toBe(named);
  });

  it('throws on what is no error of reading', () => {
    const bug = new TypeError('x is undefined');
    expect(() =>
      FILE.read(() => {
        throw bug;
      }),
    ).toThrow(bug);
  });

  it.each([
    [de, 'impact.json mit dem Bericht kann nicht gelesen werden: 7.'],
    [es, 'No se puede leer impact.json, que contiene el informe: 7.'],
  ])('is told of in another language', ({ said }, sentence) => {
    expect(recogniserOf(said)(FILE.broken('7.').message)).toBe(sentence);
  });
});

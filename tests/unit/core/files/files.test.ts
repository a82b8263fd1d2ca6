// What a file is, how its letters are read, how PDF lines become paragraphs, and how texts are cut to a context.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutToRoom, fitTexts } from '../../../../src/core/files/cut-to-room';
import { decodeText, isModelDrop, kindOfFile } from '../../../../src/core/files/file-kind';
import { pdfText } from '../../../../src/core/files/pdf-lines';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('the name says what a file is, and the type where the name does not', () => {
  expect(kindOfFile('notes.md', '')).toBe('text');
  expect(kindOfFile('paper.PDF', '')).toBe('pdf');
  expect(kindOfFile('download', 'application/pdf')).toBe('pdf');
  for (const name of ['model_q4.onnx', 'model.onnx_data_2', 'a.safetensors', 'b.tidepool', 'c.zip'])
    expect(kindOfFile(name, '')).toBe('model');
  expect(isModelDrop([{ name: 'config.json', type: '' }])).toBe(false);
  expect(
    isModelDrop([
      { name: 'config.json', type: '' },
      { name: 'model.onnx', type: '' },
    ]),
  ).toBe(true);
});

test('text is read in the encoding it has; what is no text is refused', () => {
  expect(decodeText(bytes('\uFEFFGrüße\r\nan\ralle'))).toEqual({
    text: 'Grüße\nan\nalle',
    encoding: 'utf-8',
  });
  const utf16 = new Uint8Array([0xff, 0xfe, ...new Uint8Array(new Uint16Array([72, 228]).buffer)]);
  expect(decodeText(utf16)).toEqual({ text: 'Hä', encoding: 'utf-16le' });
  const old = new Uint8Array([...bytes('Stra'), 0xdf, ...bytes('e und mehr')]);
  expect(decodeText(old)).toEqual({ text: 'Straße und mehr', encoding: 'windows-1252' });
  expect(decodeText(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]))).toBeNull();
  expect(decodeText(new Uint8Array([137, 80, 0]))).toBeNull();
  expect(decodeText(Uint8Array.from({ length: 400 }, (_, at) => 128 + (at % 120)))).toBeNull();
});

test('UTF-8 cut inside a letter is still read as UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(3), (text, cut) => {
      const all = bytes(`begin ${text.replaceAll(/\p{Cc}/gu, ' ')}`);
      const read = decodeText(all.subarray(0, all.length - cut));
      expect(read?.encoding).toBe('utf-8');
      expect(new TextDecoder().decode(all).startsWith(read?.text ?? '?')).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('lines of a PDF become paragraphs, and words parted by a hyphen one word', () => {
  const piece = (text: string, y: number, endsLine = true) => ({ text, y, height: 10, endsLine });
  const pieces = [
    piece('The pool ', 700, false),
    piece('keeps its size, and hy-', 700),
    piece('brids have both.', 688),
    piece('', 688),
    piece('Second paragraph, Mamba-', 650),
    piece('2 stays parted.', 638),
  ];
  expect(pdfText(pieces)).toBe(
    'The pool keeps its size, and hybrids have both.\n\nSecond paragraph, Mamba-\n2 stays parted.',
  );
  expect(pdfText([])).toBe('');
});

/** Tokens of a made-up tokeniser: one for each run of at most five letters. */
const count = async (text: string): Promise<number> => (text.match(/\S{1,5}/g) ?? []).length;

test('a text that fits stays whole; a longer one is cut where a word ends', async () => {
  const text = 'one two three four five six seven eight nine ten';
  expect(await cutToRoom(text, 100, count)).toEqual({ text, tokens: 10 });
  const cut = await cutToRoom(text.repeat(50), 100, count);
  expect(cut?.tokens).toBeGreaterThan(85);
  expect(text.repeat(50).charAt(cut?.text.length ?? 0)).toBe(' ');
  expect(await cutToRoom(text, 0, count)).toBeNull();
});

test('whatever the texts and the room, each is a beginning, all fit together, and little room is wasted', async () => {
  const texts = fc.array(
    fc
      .array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 400 })
      .map((words) => words.join(' ')),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 40, max: 600 }), async (all, room) => {
      const fitted = await fitTexts(all, room, count);
      const taken = fitted.reduce((sum, one) => sum + (one?.tokens ?? 0), 0);
      expect(taken).toBeLessThanOrEqual(room);
      for (const [at, one] of fitted.entries()) {
        expect(one).not.toBeNull();
        expect(all[at]?.startsWith(one?.text ?? '?')).toBe(true);
        expect(one?.tokens).toBe(await count(one?.text ?? ''));
      }
      const isCut = fitted.some((one, at) => one?.text.length !== all[at]?.length);
      if (isCut) expect(taken).toBeGreaterThan(room * 0.6);
    }),
    { numRuns: 60 },
  );
});

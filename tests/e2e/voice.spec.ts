// Voice with fakes in the page: a voice and an ear of this device are offered, those that send sound away are not.
import { expect, test } from './fake-site';

test('a reply is read aloud and a question dictated, both on this device', async ({ chat }) => {
  const { page } = chat;
  await page.addInitScript(() => {
    const said: string[] = [];
    class Utterance extends EventTarget {
      constructor(readonly text: string) {
        super();
      }
    }
    class Recognition {
      static available = (): Promise<string> => Promise.resolve('available');
      processLocally = false;
      onresult: ((event: unknown) => void) | null = null;
      onend: (() => void) | null = null;
      start(): void {
        if (!this.processLocally) throw new Error('the sound would leave');
        this.onresult?.({ results: [Object.assign([{ transcript: 'why tides' }], {})] });
      }
      stop(): void {
        this.onend?.();
      }
    }
    const voices = [{ name: 'own', lang: 'en-US', localService: true, default: true }];
    const synthesis = Object.assign(new EventTarget(), {
      getVoices: () => voices,
      speak: (utterance: Utterance) => {
        said.push(utterance.text);
        document.documentElement.dataset['said'] = said.join(' | ');
      },
      cancel: () => {},
    });
    for (const [name, value] of Object.entries({
      speechSynthesis: synthesis,
      SpeechSynthesisUtterance: Utterance,
      SpeechRecognition: Recognition,
    }))
      Object.defineProperty(globalThis, name, { value, configurable: true });
  });
  await chat.open('thinks');
  await page.getByRole('button', { name: 'Add to the message' }).click();
  await page.getByRole('menuitem', { name: /^Dictate/ }).click();
  const box = page.getByRole('textbox', { name: 'Message' });
  await expect(box).toHaveValue('why tides');
  await expect(page.getByText('Listening. The sound stays on this device.')).toBeVisible();
  await chat.expectAccessible();
  await page.getByRole('button', { name: 'Stop listening' }).click();
  await expect(box).toBeFocused();
  await page.getByRole('button', { name: 'Send' }).click();
  await chat.replied();
  await page.getByRole('button', { name: 'Read aloud' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-said', /\w/);
  await page.getByRole('button', { name: 'Stop reading aloud' }).click();
  await expect(page.getByRole('button', { name: 'Read aloud' })).toBeVisible();
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByText(/Beside each reply, with a voice of this device/)).toBeVisible();
  await chat.expectAccessible();
});

test('voices and ears that send sound away are left out, and the settings say so', async ({
  chat,
}) => {
  const { page } = chat;
  await page.addInitScript(() => {
    const Recognition = Object.assign(
      function Recognition(): never {
        throw new Error('the sound would leave');
      },
      { available: (): Promise<string> => Promise.resolve('unavailable') },
    );
    const synthesis = Object.assign(new EventTarget(), {
      getVoices: () => [{ name: 'cloud', lang: 'en-US', localService: false, default: true }],
    });
    Object.defineProperty(globalThis, 'speechSynthesis', { value: synthesis });
    Object.defineProperty(globalThis, 'SpeechRecognition', { value: Recognition });
  });
  await chat.open('thinks');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByText(/voices of this browser would send the words/)).toBeVisible();
  await expect(page.getByText(/would send the sound to a server/)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Read aloud' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Add to the message' }).click();
  await expect(page.getByRole('menuitem', { name: /^A saved prompt/ })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: /^Dictate/ })).toHaveCount(0);
});

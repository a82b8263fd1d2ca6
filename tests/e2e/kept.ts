// What the page's database of chats holds, so that a test leaves or reloads a page only once it has kept what it must.
import { expect, type Page } from '@playwright/test';

/** The kept conversations, as JSON. */
function keptConversations(page: Page): Promise<string> {
  return page.evaluate(
    () =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open('tidepool');
        opening.onerror = () => reject(new Error('the database did not open'));
        opening.onsuccess = () => {
          const database = opening.result;
          const all = database.transaction('conversations').objectStore('conversations').getAll();
          all.onerror = () => reject(new Error('the conversations could not be read'));
          all.onsuccess = () => {
            database.close();
            resolve(JSON.stringify(all.result));
          };
        };
      }),
  );
}

/** Waits until the kept conversations hold these texts: the page writes behind what it shows. */
export async function expectKept(page: Page, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await expect.poll(() => keptConversations(page)).toContain(text);
}

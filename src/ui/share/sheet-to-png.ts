/**
 * A sheet of a chat to a PNG, by the browser's own layout: the sheet and the page's styles in an SVG that is drawn on a
 * canvas. A library would do the same and bring more: html-to-image copies the computed style of each element.
 */
import { t } from '../../core/language/translate';
import { svgToPng } from '../lab/pictures/svg-to-png';

/** Of the picture: a page that is read without turning a phone. In CSS pixels, of which each becomes two. */
const WIDTH = 704;
const PADDING = 32;
/** Canvases of all browsers are as high as this, at twice the size. */
const MAX_HEIGHT = 8000;

/** The picture, or a sentence on why there is none. */
export async function sheetToPng(sheet: HTMLElement): Promise<Blob | string> {
  const stage = document.createElement('div');
  stage.className = 'drawn-sheet';
  stage.append(...Array.from(sheet.childNodes, (node) => node.cloneNode(true)));
  Object.assign(stage.style, {
    position: 'absolute',
    insetInlineStart: '-300vw',
    boxSizing: 'border-box',
    inlineSize: `${WIDTH}px`,
    padding: `${PADDING}px`,
  });
  document.body.append(stage);
  const height = Math.ceil(stage.getBoundingClientRect().height);
  stage.remove();
  if (height > MAX_HEIGHT)
    return t(
      'This chat is too long for one picture. Print it, fork a shorter one, or save it as a file.',
    );
  stage.style.position = 'static';
  try {
    const svg = svgOf(stage, height, await pageStyles(stage));
    // The first drawing brings the fonts; only then do they stand in the picture.
    await svgToPng(svg);
    const drawn = await svgToPng(svg);
    return drawn ?? t('The browser made no picture of this chat. Print it, or save it as a file.');
  } catch {
    return t('The browser could not draw this chat. Print it, or save it as a file.');
  }
}

function svgOf(stage: HTMLElement, height: number, styles: string): string {
  const isDark = getComputedStyle(document.body).colorScheme.includes('dark');
  const theme =
    document.documentElement.dataset['theme'] ??
    (isDark && matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  const body = new XMLSerializer().serializeToString(stage);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" data-theme="${theme}"><style>${escapeXml(styles)}</style><foreignObject width="100%" height="100%"><body xmlns="http://www.w3.org/1999/xhtml">${body}</body></foreignObject></svg>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** The page's rules, with the fonts that the sheet uses in them: a picture may fetch nothing. */
async function pageStyles(stage: HTMLElement): Promise<string> {
  const hasMaths = stage.querySelector('.katex') !== null;
  const rules = Array.from(document.styleSheets).flatMap((styles) =>
    Array.from(styles.cssRules, (rule) => ({ rule, base: styles.href ?? document.baseURI })),
  );
  const texts = await Promise.all(
    rules.map(async ({ rule, base }) => {
      if (!(rule instanceof CSSFontFaceRule)) return rule.cssText;
      const isMaths = rule.style.getPropertyValue('font-family').includes('KaTeX');
      return isMaths && !hasMaths ? '' : withFont(rule.cssText, base);
    }),
  );
  return texts.join('\n');
}

async function withFont(text: string, base: string): Promise<string> {
  const address = /url\("?([^")]+)"?\)/.exec(text)?.[1];
  if (address === undefined) return text;
  const response = await fetch(new URL(address, base));
  const data = await dataAddress(await response.blob());
  return text.replace(/url\("?[^")]+"?\)/, `url("${data}")`);
}

function dataAddress(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onloadend = () => {
      if (typeof reader.result === 'string') resolve(reader.result);
      else reject(new Error('a font could not be read', { cause: reader.error }));
    };
    reader.readAsDataURL(blob);
  });
}

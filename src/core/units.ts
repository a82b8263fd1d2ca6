/**
 * Owns how quantities are written for people: bytes, durations, rates, counts, in the language of the page.
 */
import { language } from './language/translate';

/** As `toFixed`, with the language's decimal sign: "1.50", "1,50". */
export function formatFixed(value: number, digits: number): string {
  // Rounded by toFixed: Intl would round what the number is written as, 1.005, not what it is.
  const rounded = value.toFixed(digits);
  return Number.isFinite(value) ? writerOf(language(), digits).format(Number(rounded)) : rounded;
}

const writers = new Map<string, Intl.NumberFormat>();

function writerOf(code: string, digits: number): Intl.NumberFormat {
  const key = `${code} ${digits}`;
  const writer =
    writers.get(key) ??
    new Intl.NumberFormat(code, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: false,
    });
  writers.set(key, writer);
  return writer;
}

/** Digits so that three figures stand: 9.87, 98.7, 987. */
function threeFigures(value: number): string {
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return formatFixed(value, digits);
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/**
 * "512 B", "6.00 KiB", "46.0 MiB": powers of 1024, three figures. RangeError on a negative or no
 * number.
 */
export function formatBytes(bytes: number): string {
  if (!(bytes >= 0 && bytes < Infinity)) throw new RangeError(`${bytes} is no count of bytes`);
  let value = bytes;
  let unit = 0;
  // 1023.5 would round to "1024 KiB".
  while (value >= (unit === 0 ? 1024 : 1023.5) && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(Math.round(value)) : threeFigures(value)} ${BYTE_UNITS[unit] ?? 'TiB'}`;
}

/** "0.45 ms", "84 ms", "2.1 s", "3 min 5 s", "2 h 4 min". RangeError on a negative or no number. */
export function formatDuration(durationMs: number): string {
  if (!(durationMs >= 0 && durationMs < Infinity))
    throw new RangeError(`${durationMs} is no duration in ms`);
  if (durationMs === 0) return '0 ms';
  if (durationMs < 0.005) return `<${formatFixed(0.01, 2)} ms`;
  if (durationMs < 9.95) return `${formatFixed(durationMs, durationMs < 0.995 ? 2 : 1)} ms`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${formatFixed(durationMs / 1000, 1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "31.4 tokens/s"; "–" when the rate is not known (0 ms measured gives no finite rate). */
export function formatRate(perSecond: number, unit = 'tokens'): string {
  return Number.isFinite(perSecond) && perSecond >= 0
    ? `${threeFigures(perSecond)} ${unit}/s`
    : '–';
}

/** "8,035": thousands apart, whole. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) throw new RangeError(`${count} is no count`);
  const digits = new Intl.NumberFormat(language()).format(Math.abs(Math.round(count)));
  return Math.round(count) < 0 ? `−${digits}` : digits;
}

/** "1234.5": as it is, with the language's decimal sign. */
export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language(), {
    useGrouping: false,
    maximumFractionDigits: 20,
  }).format(value);
}

/** "Nov 28, 2026, 6:04 PM", from milliseconds since 1970. */
export function formatMoment(ms: number): string {
  const style = { dateStyle: 'medium', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat(language(), style).format(ms);
}

/**
 * Dates as Python's `strftime` writes them in its C locale, which is what chat templates were written with. Owns no clock.
 */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const DAY_MS = 86_400_000;

function pad(value: number, length = 2, fill = '0'): string {
  return String(value).padStart(length, fill);
}

/** Days since the first of January, 0 for it; by calendar, so that a change of the clock shifts nothing. */
function dayOfYear(date: Date): number {
  const year = date.getFullYear();
  return (Date.UTC(year, date.getMonth(), date.getDate()) - Date.UTC(year, 0, 1)) / DAY_MS;
}

/** Week of the year whose weeks begin on `firstDay`; days before its first such day are in week 0. */
function weekOfYear(date: Date, firstDay: 0 | 1): number {
  const weekday = (date.getDay() - firstDay + 7) % 7;
  return Math.floor((dayOfYear(date) - weekday + 7) / 7);
}

/** ISO 8601: the week and year of that week's Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate());
  thursday.setDate(thursday.getDate() + 3 - ((date.getDay() + 6) % 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${pad(size % 60)}`;
}

/** Text of one code; null for a letter that is none. */
function codeText(date: Date, code: string): string | null {
  const dayName = DAYS[date.getDay()] ?? '';
  const monthName = MONTHS[date.getMonth()] ?? '';
  const hour12 = date.getHours() % 12 || 12;
  const all = (format: string): string => strftime(date, format);
  switch (code) {
    case 'a':
      return dayName.slice(0, 3);
    case 'A':
      return dayName;
    case 'b':
    case 'h':
      return monthName.slice(0, 3);
    case 'B':
      return monthName;
    case 'c':
      return all('%a %b %e %H:%M:%S %Y');
    case 'C':
      return pad(Math.floor(date.getFullYear() / 100));
    case 'd':
      return pad(date.getDate());
    case 'D':
    case 'x':
      return all('%m/%d/%y');
    case 'e':
      return pad(date.getDate(), 2, ' ');
    case 'f':
      return pad(date.getMilliseconds() * 1000, 6);
    case 'F':
      return all('%Y-%m-%d');
    case 'g':
      return pad(isoWeek(date).year % 100);
    case 'G':
      return pad(isoWeek(date).year, 4);
    case 'H':
      return pad(date.getHours());
    case 'I':
      return pad(hour12);
    case 'j':
      return pad(dayOfYear(date) + 1, 3);
    case 'k':
      return pad(date.getHours(), 2, ' ');
    case 'l':
      return pad(hour12, 2, ' ');
    case 'm':
      return pad(date.getMonth() + 1);
    case 'M':
      return pad(date.getMinutes());
    case 'n':
      return '\n';
    case 'p':
      return date.getHours() < 12 ? 'AM' : 'PM';
    case 'P':
      return date.getHours() < 12 ? 'am' : 'pm';
    case 'r':
      return all('%I:%M:%S %p');
    case 'R':
      return all('%H:%M');
    case 's':
      return String(Math.floor(date.getTime() / 1000));
    case 'S':
      return pad(date.getSeconds());
    case 't':
      return '\t';
    case 'T':
    case 'X':
      return all('%H:%M:%S');
    case 'u':
      return String(date.getDay() || 7);
    case 'U':
      return pad(weekOfYear(date, 0));
    case 'V':
      return pad(isoWeek(date).week);
    case 'w':
      return String(date.getDay());
    case 'W':
      return pad(weekOfYear(date, 1));
    case 'y':
      return pad(date.getFullYear() % 100);
    case 'Y':
      return String(date.getFullYear());
    case 'z':
      return offset(date);
    case 'Z':
      return zoneName(date);
    case '%':
      return '%';
    default:
      return null;
  }
}

/** With the flags of glibc: `-` no padding, `_` blanks, `0` zeros, `^` capitals. A letter that is no code stays. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%([-_0^]?)([A-Za-z%])/g, (whole, flag: string, code: string) => {
    const text = codeText(date, code);
    if (text === null) return whole;
    const isNumber = /^[ 0-9]+$/.test(text);
    switch (flag) {
      case '-':
        return isNumber ? text.replace(/^[ 0]+(?=\d)/, '') : text;
      case '_':
        return isNumber ? text.replace(/^0+(?=\d)/, (zeros) => ' '.repeat(zeros.length)) : text;
      case '0':
        return isNumber ? text.replaceAll(' ', '0') : text;
      case '^':
        return text.toUpperCase();
      default:
        return text;
    }
  });
}

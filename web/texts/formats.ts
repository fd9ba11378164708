/** Numbers and times as the viewer's language writes them. A negative number has a minus sign, not a hyphen. */
export interface Formats {
  /** At most `digits` digits after the point. */
  number(value: number, digits?: number): string;
  /** Exactly `digits` digits after the point. */
  fixed(value: number, digits: number): string;
  /** As `number`, with a plus or a minus sign. */
  signed(value: number, digits?: number): string;
  /** A share of 1 as per cent. */
  percent(share: number, digits?: number): string;
  /** Date and time of an ISO time. */
  dateTime(iso: string): string;
  date(iso: string): string;
  /** The time of day of an ISO time. */
  time(iso: string): string;
  /** A calendar day, `YYYY-MM-DD`, the same in every time zone. */
  day(localDate: string): string;
  /** Age of a time, e.g. `2 minutes ago`. Less than a minute is `this minute`. */
  age(iso: string, now: number): string;
  /** A length of time in seconds, e.g. `1 min 20 s`. */
  duration(seconds: number): string;
}

const units = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

const withMinus = (text: string): string => text.replace('-', '−');

export function createFormats(language: string): Formats {
  // The browser's own region decides between forms of one language, e.g. en-GB and en-US.
  const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const numbers = new Map<string, Intl.NumberFormat>();
  function numberFormat(digits: number, style: 'decimal' | 'percent'): Intl.NumberFormat {
    const key = `${style}${digits}`;
    const format =
      numbers.get(key) ??
      new Intl.NumberFormat(locale, {
        style,
        maximumFractionDigits: digits,
        // Percentages of one column have the same digits, so that they compare at a glance.
        minimumFractionDigits: style === 'percent' ? digits : 0,
      });
    numbers.set(key, format);
    return format;
  }
  const number = (value: number, digits = 2): string => withMinus(numberFormat(digits, 'decimal').format(value));
  return {
    number,
    signed: (value, digits) => `${value > 0 ? '+' : ''}${number(value, digits)}`,
    percent: (share, digits = 1) => withMinus(numberFormat(digits, 'percent').format(share)),
    fixed: (value, digits) =>
      withMinus(value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })),
    dateTime: (iso) => dateTime.format(new Date(iso)),
    date: (iso) => date.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    day: (localDate) => day.format(new Date(localDate)),
    age(iso, now) {
      const seconds = (new Date(iso).getTime() - now) / 1_000;
      const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? [];
      // Seconds would be wrong before they are drawn again, and a clock that differs a little would see the future.
      return unit ? relative.format(Math.round(seconds / size), unit) : relative.format(0, 'minute');
    },
    duration(seconds) {
      const parts = [
        [Math.floor(seconds / 3_600), 'h'],
        [Math.floor((seconds % 3_600) / 60), 'min'],
        [Math.round(seconds % 60), 's'],
      ] as const;
      const shown = parts.filter(([count]) => count > 0).slice(0, 2);
      return shown.length > 0 ? shown.map(([count, unit]) => `${count} ${unit}`).join(' ') : '0 s';
    },
  };
}

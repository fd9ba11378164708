/**
 * Colours on white that readers with any colour vision can distinguish: vermilion and blue of Okabe and Ito,
 * https://jfly.uni-koeln.de/color/ Vermilion is darker than theirs, for a contrast of 4.5:1.
 *
 * An element that is painted in one of them has a class too, e.g. `plot-fill-raises`. A page with a dark background can
 * give the class another colour: a style sheet wins over an attribute. Without one the figure is right on white.
 */
export const colours = {
  raises: '#B54F00',
  lowers: '#0072B2',
  text: '#1B1B1B',
  muted: '#595959',
  grid: '#D9D9D9',
  background: '#FFFFFF',
} as const;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML 1.0 cannot hold: control characters, and halves of surrogate pairs. */
const notInXml =
  // eslint-disable-next-line no-control-regex -- these are the characters that it forbids
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Makes a text safe for XML: escapes markup, and removes control characters and lone surrogates. */
export function escapeXml(text: string): string {
  const allowed = text.replace(notInXml, '');
  return allowed.replace(/[&<>"']/g, (character) => entities[character]!);
}

/** Writes an element with attributes. `children` is markup already. */
export function element(name: string, attributes: Readonly<Record<string, string | number>>, children = ''): string {
  const written = Object.entries(withClasses(attributes))
    .map(([key, value]) => ` ${key}="${escapeXml(typeof value === 'number' ? coordinate(value) : value)}"`)
    .join('');
  return children === '' ? `<${name}${written}/>` : `<${name}${written}>${children}</${name}>`;
}

const colourNames = new Map<string | number | undefined, string>(
  Object.entries(colours).map(([name, colour]) => [colour, name]),
);

function withClasses(attributes: Readonly<Record<string, string | number>>): Readonly<Record<string, string | number>> {
  const painted = (['fill', 'stroke'] as const).flatMap((paint) => {
    const name = colourNames.get(attributes[paint]);
    return name === undefined ? [] : [`plot-${paint}-${name}`];
  });
  if (painted.length === 0) return attributes;
  return { ...attributes, class: [attributes['class'], ...painted].filter(Boolean).join(' ') };
}

/** Writes text with a white halo, so that it is readable across lines of the grid. */
export function textAt(
  x: number,
  y: number,
  content: string,
  attributes: Readonly<Record<string, string | number>> = {},
): string {
  return element(
    'text',
    { x, y, stroke: colours.background, 'stroke-width': 3, 'paint-order': 'stroke', ...attributes },
    escapeXml(content),
  );
}

/**
 * Estimates the width of a text in a sans-serif font, in pixels. The averages are generous: the viewer's font is
 * unknown. East Asian characters and emoji are as wide as high.
 * @param isBold bold letters are wider: up to 1.16 times in DejaVu Sans
 */
export function textWidth(text: string, fontSize: number, isBold = false): number {
  let units = 0;
  for (const character of text) {
    if (character.codePointAt(0)! >= 0x1100) units += 1;
    else if (/[A-ZMWmw%@]/.test(character)) units += 0.74;
    else units += /[ijlt.,:;'|()[\] \u00a0\u202f]/.test(character) ? 0.36 : 0.58;
  }
  return units * (isBold ? boldSize(fontSize) : fontSize);
}

/** The size of regular text that is as wide as bold text of a size. */
export const boldSize = (fontSize: number): number => boldFactor * fontSize;

const boldFactor = 1.16;

/** Returns the middle of a text that is centred at `x`, or beside it where the text would leave the figure. */
export function centreWithin(text: string, x: number, figureWidth: number, fontSize = 12): number {
  const half = textWidth(text, fontSize) / 2;
  return Math.min(figureWidth - half - 8, Math.max(half + 8, x));
}

/** Writes the label of a horizontal axis, centred below it. */
export function axisLabel(
  label: string,
  { left, right, width }: { readonly left: number; readonly right: number; readonly width: number },
  y: number,
): string {
  const cut = fitText(label, width - 24, 12);
  const attributes = { 'text-anchor': 'middle', fill: colours.muted, 'font-size': 12 };
  return textAt(centreWithin(cut, (left + right) / 2, width), y, cut, attributes);
}

/** Cuts a text, with an ellipsis, when it is wider than `width`. */
export function fitText(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join('')}…`, fontSize) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** Breaks a text into at most `lines` lines of a width. The last line is cut when it does not fit. */
export function wrapText(text: string, width: number, fontSize: number, lines: number): string[] {
  const words = text.split(/[ \t\r\n]+/).filter((word) => word !== '');
  const result: string[] = [];
  while (words.length > 0 && result.length < lines - 1) {
    let line = words.shift()!;
    while (words.length > 0 && textWidth(`${line} ${words[0]!}`, fontSize) <= width) line += ` ${words.shift()!}`;
    result.push(fitText(line, width, fontSize));
  }
  if (words.length > 0) result.push(fitText(words.join(' '), width, fontSize));
  return result;
}

/** Chooses about `count` round values in [low, high], at least two. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const steps = [1, 2, 5, 10].map((factor) => factor * power);
  const chosen = steps.findIndex((size) => span / size <= count);
  const values = multiples(low, high, steps.at(chosen)!);
  if (values.length > 1) return values;
  // A few steps may have no multiple in the range. The ends of the next finer ones are far enough from each other.
  const finer = multiples(low, high, chosen === 0 ? power / 2 : steps.at(chosen - 1)!);
  return finer.length > 2 ? [finer[0]!, finer.at(-1)!] : finer;
}

function multiples(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Writes a number with `places` decimals. Negative numbers get a minus sign, not a hyphen. */
export function plain(value: number, places: number): string {
  return value.toFixed(places).replace('-', '−');
}

/** Returns the number of decimals that shows a fiftieth of a range, at least two. */
export function decimals(span: number): number {
  return Math.min(8, Math.max(2, Math.ceil(-Math.log10(span / 50))));
}

/** Writes the title of a figure and a subtitle on at most two lines each. A narrow figure has a smaller title and three lines. */
export function heading(title: string, subtitle: string, figureWidth: number): string {
  const { size, titles, subtitles } = headingLines(title, subtitle, figureWidth);
  return [
    ...titles.map((line, index) => textAt(20, 30 + index * 20, line, { 'font-size': size, 'font-weight': 600 })),
    ...subtitles.map((line, index) => textAt(20, 32 + titles.length * 20 + index * 17, line, { fill: colours.muted })),
  ].join('');
}

/** Returns the lowest pixel of a heading. */
export function headingBottom(title: string, subtitle: string, figureWidth: number): number {
  const { titles, subtitles } = headingLines(title, subtitle, figureWidth);
  return 20 + titles.length * 20 + subtitles.length * 17;
}

function headingLines(title: string, subtitle: string, figureWidth: number) {
  const width = figureWidth - 40;
  const narrow = figureWidth < 600;
  const size = narrow ? 15 : 17;
  return {
    size,
    titles: wrapText(title, width, boldSize(size), narrow ? 3 : 2),
    subtitles: wrapText(subtitle, width, 13, narrow ? 3 : 2),
  };
}

/**
 * Makes a self-contained figure: title and description for screen readers, white background, no external resource.
 * @param background `none` for a figure that lies over a canvas
 */
export function figure(
  width: number,
  height: number,
  title: string,
  description: string,
  content: string,
  background: string = colours.background,
): string {
  const id = checksum(title + description);
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${coordinate(width)} ${coordinate(height)}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': `title-${id} description-${id}`,
      'font-family': "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
      'font-size': 13,
      fill: colours.text,
    },
    element('title', { id: `title-${id}` }, escapeXml(title)) +
      element('desc', { id: `description-${id}` }, escapeXml(description)) +
      element('rect', { width, height, fill: background }) +
      content,
  );
}

/** Computes a checksum (FNV-1a). With it, two figures on one page have different ids. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(36);
}

function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}

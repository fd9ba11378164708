import { expect } from 'vitest';
import { textWidth } from '../../../src/risk/plots/svg.js';

/** Checks that every tag is closed in order, every attribute is quoted, and no text holds markup. */
export function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<>]*")*)(\/?)>/g,
    (_, closing: string, name: string, __, empty: string) => {
      if (closing) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot|#39);)/);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
}

/** Checks what every figure has: a role, a title, a description, no style, no script, and all texts within its width. */
export function expectFigure(svg: string, width: number): void {
  expectWellFormed(svg);
  expect(svg).toMatch(
    /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*role="img" aria-labelledby="title-\w+ description-\w+"/,
  );
  expect(svg).toMatch(/<title id="title-\w+">[^<]+<\/title><desc id="description-\w+">[^<]+<\/desc>/);
  expect(svg).not.toMatch(/ style=|<style|<script|href|url\(| on\w+=/);
  expect(svg).toContain(`viewBox="0 0 ${width} `);
  const height = numberOf(svg, 'height');
  // A mark of a legend and its text share a line.
  for (const { y, text } of texts(svg)) expect(y, text).toBeLessThan(height - 3);
  for (const { x, anchor, size, isBold, text } of texts(svg)) {
    const wide = textWidth(text, size, isBold);
    const left = x - (anchor === 'end' ? wide : anchor === 'middle' ? wide / 2 : 0);
    expect(left, text).toBeGreaterThan(-3);
    expect(left + wide, text).toBeLessThan(width + 3);
  }
}

/** The texts of a figure with their places. */
export function texts(svg: string) {
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes, text]) => ({
    x: numberOf(attributes!, 'x'),
    y: numberOf(attributes!, 'y'),
    anchor: attribute(attributes!, 'text-anchor'),
    size: Number(attribute(attributes!, 'font-size') ?? 13),
    isBold: attribute(attributes!, 'font-weight') === '600',
    text: text!.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
  }));
}

/** The marks that a reader can walk to: the text of each, and its markup. */
export function marks(svg: string): { readonly text: string; readonly markup: string }[] {
  return [...svg.matchAll(/<g class="plot-mark"><title>([^<]*)<\/title>(.*?)<\/g>/g)].map(([, text, markup]) => ({
    text: text!,
    markup: markup!,
  }));
}

/** The value of a numeric attribute in some markup. */
export function numberOf(markup: string, name: string): number {
  return Number(attribute(markup, name));
}

/** The elements of one kind, each as its attributes. */
export function elements(svg: string, name: string): string[] {
  return [...svg.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, 'g'))].map(([, attributes]) => attributes!);
}

function attribute(markup: string, name: string): string | undefined {
  return new RegExp(`(?:^|[ <])${name}="([^"]*)"`).exec(markup)?.[1];
}

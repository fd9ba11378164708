/** Covers scripts/redundant-names.mjs. */
import { expect, test } from 'vitest';

// A script of the build has no types.
const script = new URL('../../scripts/redundant-names.mjs', import.meta.url).href;
const { dropRedundantNames } = (await import(script)) as { readonly dropRedundantNames: (text: string) => string };

test.each([
  ['a declaration', 'function read(){}__name(read,"read");'],
  ['an arrow function', 'let read=__name(()=>1,"read");'],
  ['an assignment', 'read=__name(function(){},"read"),other();'],
  ['a property', 'return{read:__name(async()=>{},"read")}'],
  ['a function with a name of its own', 'exports.x=__name(function read(){},"read");'],
  ['a class', 'Patient=class{static{__name(this,"Patient")}};'],
  ['a nested function', 'let outer=__name(()=>{let inner=__name(()=>"__name(inner,\\"inner\\")","inner")},"outer");'],
])('a call for %s that has its name is taken out, and no column moves', (_what, text) => {
  const dropped = dropRedundantNames(text);
  expect(dropped).not.toMatch(/__name\((?!inner,\\")/);
  expect(dropped).toHaveLength(text.length);
  expect([...dropped].every((letter, index) => letter === ' ' || letter === text[index])).toBe(true);
});

test.each([
  'function read2(){}__name(read2,"read");',
  'let read2=__name(()=>1,"read");',
  'exports.read=__name(function(){},"read");',
  'Patient2=class{static{__name(this,"Patient")}};',
  'let read=__name(()=>1,"read")();',
  'let read=flag?__name(()=>1,"read"):other;',
  'let text="__name(read,\\"read\\")";',
])('a call that gives a name stays: %s', (text) => expect(dropRedundantNames(text)).toBe(text));

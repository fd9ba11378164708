import { expect, test } from 'vitest';
import { passwordIssue } from '../../../src/identity/passwords/password-policy.js';

// Shows: owasp/unicode
test.each([
  'four quiet herons at dusk',
  'xK9#mP2$vL5q',
  'ひらがなとカタカナと漢字です',
  'x7'.repeat(4) + 'Qw!z',
  'é'.repeat(4) + 'abcdefgh',
])('%s is accepted', (password) => {
  expect(passwordIssue(password, 'ada')).toBeUndefined();
});

test.each([
  ['eleven char', 'length'],
  ['x'.repeat(64) + 'y1!Z'.repeat(17), 'length'],
  // One visible character and one code point, but two units of UTF-16.
  ['🦩🦜🦚🦢🦉', 'length'],
  ['passwordpassword', 'first'],
  ['PASSWORD12345678', 'first'],
  ['p a s s w o r d 123', 'first'],
  ['correct horse battery staple', 'first'],
  ['111111111111', 'first'],
  ['abababababab', 'first'],
  ['123456789012', 'first'],
  ['210987654321', 'first'],
  ['abcdefghijklmno', 'first'],
  ['my name is Ada Lovelace', 'username'],
])('%s is refused: %s', (password, reason) => {
  const messages = { length: '12 to 128', first: 'easy to guess', username: 'username' };
  expect(passwordIssue(password, 'ada lovelace')).toContain(messages[reason as keyof typeof messages]);
});

test('a username of two letters may be part of a password', () => {
  expect(passwordIssue('four quiet herons at dusk', 'at')).toBeUndefined();
});

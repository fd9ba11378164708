/** Shortest and longest password, in characters (code points). */
const shortestPassword = 12;
const longestPassword = 128;

/** Long passwords that attackers try first. They are compared without case, punctuation, and digits at the end. */
const wellKnown: ReadonlySet<string> = new Set([
  'password',
  'passwordpassword',
  'passw0rd',
  'passw0rdpassw0rd',
  'pa55word',
  'mypassword',
  'password123password',
  'changeme',
  'changemeplease',
  'changemenow',
  'changeit',
  'letmein',
  'letmeinletmein',
  'letmeinplease',
  'welcome',
  'welcomewelcome',
  'welcometothehospital',
  'iloveyou',
  'iloveyouiloveyou',
  'administrator',
  'adminadmin',
  'adminadminadmin',
  'administration',
  'qwerty',
  'qwertyuiop',
  'qwertyqwerty',
  'qwertyuiopasdf',
  'qwertyuiopasdfghjkl',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'asdfghjklzxcvbnm',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'qazwsxedcrfv',
  'abcdefghijkl',
  'abcdefghijklm',
  'abcdefghijklmnop',
  'abc123abc',
  'correcthorsebatterystaple',
  'trustno',
  'superman',
  'sunshine',
  'princess',
  'dragon',
  'monkey',
  'football',
  'baseball',
  'riskgraph',
  'riskgraphriskgraph',
  'hospital',
  'hospitalhospital',
  'defaultpassword',
  'temporarypassword',
  'secretsecret',
  'supersecret',
  'verysecret',
  'testtesttest',
  'testpassword',
]);

const fewestDifferentCharacters = 5;
/** Shortest username that a password is checked for. Shorter ones occur in too many passwords by chance. */
const shortestTellingUsername = 3;

/**
 * The reason why a password may not be chosen; undefined when it may. The rules ask for length, not for kinds of
 * characters, as NIST SP 800-63B (5.1.1.2) and OWASP recommend.
 */
export function passwordIssue(password: string, username: string): string | undefined {
  const { length } = [...password.normalize('NFKC')];
  if (length < shortestPassword || length > longestPassword)
    return `must have ${shortestPassword} to ${longestPassword} characters`;
  const plain = password.normalize('NFKC').toLowerCase();
  if (username.length >= shortestTellingUsername && plain.includes(username.toLowerCase()))
    return 'must not contain the username';
  if (new Set(plain).size < fewestDifferentCharacters || isSequence(plain) || wellKnown.has(bare(plain)))
    return 'is easy to guess: choose another';
  return undefined;
}

/** The letters and digits of a password, without digits at the end unless they belong to a well-known one. */
const bare = (password: string): string => {
  const letters = password.replace(/[^\p{L}\d]/gu, '');
  return wellKnown.has(letters) ? letters : letters.replace(/\d+$/, '');
};

/** Tells whether a password is a sequence such as 1234567890123 or abcdefghijkl, forwards or backwards. */
function isSequence(password: string): boolean {
  const steps = [...password]
    .slice(1)
    .map((character, index) => character.codePointAt(0)! - password.codePointAt(index)!);
  return [1, -1].some((step) => steps.every((seen) => seen === step || seen === -9 * step));
}

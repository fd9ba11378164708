import { fileVariable, secretSettings } from '../src/config/secret-files.js';
import { settingGroups, settings } from '../src/config/settings.js';

type KnownSetting = (typeof settings)[number];

const command = 'npm run settings:generate';

/** Returns the default of a setting as an operator would write it. */
function defaultOf({ schema }: KnownSetting): string {
  const value = schema.parse(undefined);
  return value === undefined || String(value) === '' ? 'none' : `\`${String(value)}\``;
}

const row = (setting: KnownSetting): string =>
  `| \`${setting.name}\` | ${defaultOf(setting)} | ${setting.description} |`;

/** Lists the variables that name files of secrets. */
function fileList(): string {
  const names = secretSettings.map((name) => `\`${fileVariable(name)}\``);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Writes the text of docs/settings.md. */
export function settingsPage(): string {
  const sections = settingGroups.map(({ title, settings: rows }) =>
    [`## ${title}`, '', '| variable | default | meaning |', '|---|---|---|', ...rows.map(row)].join('\n'),
  );
  return (
    [
      `<!-- Made by "${command}" from the table in src/config/settings/. Do not edit. -->`,
      '# Settings',
      'Every setting is an environment variable. Commands also read `.env` in the working folder; a variable that is ' +
        'already set\n' +
        'wins. An empty variable counts as unset. Entries of a list are separated by commas.',
      `Secrets can be files. ${fileList()} each name a file\n` +
        'with one line; the line break at its end does not count. A secret that is set in both ways is refused, and so is ' +
        'a file\nthat other users can change.',
      'All settings are validated at the start. Every mistake is reported at once, with the variable and the values ' +
        'that it accepts.',
      ...sections,
    ].join('\n\n') + '\n'
  );
}

/** Longest line of .env.example. */
const longestLine = 110;

/** Breaks a text into lines of comments. */
function commentLines(text: string): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length + 3 > longestLine) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`);
}

/** Writes the text of .env.example: every setting, commented out, with its meaning and its default. */
export function environmentExample(): string {
  const sections = settingGroups.map(({ title, settings: rows }) =>
    [
      `# ---- ${title} ----`,
      ...rows.map((setting: KnownSetting) => {
        const value = setting.schema.parse(undefined);
        const ways = secretSettings.includes(setting.name)
          ? ` Or ${fileVariable(setting.name)}, the path of its file.`
          : '';
        const plain = setting.description.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1').replaceAll('`', '');
        return [
          ...commentLines(`${plain}.${ways}`),
          `# ${setting.name}=${value === undefined ? '' : String(value)}`,
        ].join('\n');
      }),
    ].join('\n\n'),
  );
  return (
    [
      [
        `# Made by "${command}" from the table in src/config/settings/. Do not edit.`,
        '# Copy it to .env, and take the "# " away from the lines that you set. An empty variable counts as unset.',
        '# A production needs NODE_ENV, MONGO_URI, REDIS_URL, SECRET_KEY and ENCRYPTION_KEYS; docs/operations.md says how.',
        '# "riskgraph config check" says whether it is right.',
      ].join('\n'),
      ...sections,
    ].join('\n\n') + '\n'
  );
}

/**
 * Settings that docker-compose.yml does not pass on from .env, although it does not name them: it uses no data
 * directory.
 */
const ofTheContainer = ['DATA_DIRECTORY'];

/** Settings that the Helm chart sets itself. */
const ofTheChart = ['HOST', 'PORT', 'METRICS_HOST', 'METRICS_PORT', 'NODE_ENV', 'DRAIN_SECONDS', 'DATA_DIRECTORY'];
/** Secrets that the Helm chart always takes from its Secret. */
const secretsOfTheChart = ['MONGO_URI', 'REDIS_URL', 'SECRET_KEY', 'ENCRYPTION_KEYS'];
/** Variables that Node.js reads itself. */
const ofNode = ['NODE_EXTRA_CA_CERTS', 'TZ'];

/**
 * Renews the names of settings and of secrets that the Helm chart accepts.
 * @param file text of values.schema.json
 */
export function withSettingNames(file: string): string {
  const isSecret = (name: string): boolean => secretSettings.includes(name);
  const plain = settings
    .map(({ name }): string => name)
    .filter((name) => !isSecret(name) && !ofTheChart.includes(name));
  const lists = {
    settingNames: [...plain, ...ofNode],
    secretNames: secretSettings.filter((name) => !secretsOfTheChart.includes(name)),
  };
  return Object.entries(lists).reduce((text, [list, names]) => {
    const place = new RegExp(`^( *)"${list}": \\{ "enum": \\[[^\\]]*\\] \\}`, 'm');
    if (!place.test(text)) throw new Error(`values.schema.json has no list ${list}`);
    return text.replace(place, (_, indent: string) => {
      const lines = names.map((name) => `${indent}  "${name}"`);
      return `${indent}"${list}": { "enum": [\n${lines.join(',\n')}\n${indent}] }`;
    });
  }, file);
}

const marked = /^( *)# Begin of the generated list.*\n(?:.*\n)*?\1# End of the generated list.*\n/m;

/** The variables of a secret that .env may set: none when the file sets one, as it does for those that it needs. */
const waysOf = (name: string, byHand: ReadonlySet<string | undefined>): string[] =>
  byHand.has(fileVariable(name)) ? [] : [name, fileVariable(name)];

/**
 * Renews the list of variables that docker-compose.yml passes on from .env.
 * @param file text of docker-compose.yml. Settings that it names outside of the list have a value there, and stay out
 * of it
 * @returns the same text with the list of today's settings
 */
export function withSettingsList(file: string): string {
  if (!marked.test(file)) throw new Error('docker-compose.yml has no list of settings between its two comments');
  const byHand = new Set([...file.replace(marked, '').matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name));
  const names = settings
    .flatMap(({ name }): string[] => (secretSettings.includes(name) ? waysOf(name, byHand) : [name]))
    .filter((name) => !byHand.has(name) && !ofTheContainer.includes(name));
  return file.replace(marked, (_, indent: string) =>
    [
      `# Begin of the generated list: "${command}" makes it from the table in src/config/settings/`,
      ...names.map((name) => `${name}:`),
      '# End of the generated list',
    ]
      .map((line) => `${indent}${line}\n`)
      .join(''),
  );
}

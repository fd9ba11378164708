import { fileVariable, secretSettings } from './secret-files.js';
import { settings } from './settings.js';

/** A variable that is no setting, and the setting that its name is nearest to. */
interface UnknownSetting {
  readonly name: string;
  readonly nearest: string;
}

const names: readonly string[] = settings.map(({ name }) => name);
const known = new Set([...names, ...secretSettings.map(fileVariable)]);

/**
 * Variables of others that a `.env` may hold: those of our commands, of the Compose file, of Node.js and of the libraries
 * for traces and for TLS.
 */
const ofOthers =
  /^(RISKGRAPH_TOKEN|RISKGRAPH_VERSION|SERVER_NAME|STOP_GRACE_PERIOD|BACKUPS|API_PROCESSES|PUBLISH_(ADDRESS|HTTPS?|PORTS)|(API|WORKER|MONGO|NGINX)_(CPUS|MEMORY)|COMPOSE_\w+|DOCKER_\w+|NODE_(OPTIONS|EXTRA_CA_CERTS)|UV_THREADPOOL_SIZE|SSL_CERT_(FILE|DIR)|TZ|TMPDIR|PATH|OTEL_\w+|(?:https?|no)_proxy)$/i;

/** Fewest words of a setting whose beginning counts as its name: RATE_LIMIT for RATE_LIMIT_USER_PER_MINUTE. */
const leastWords = 2;

/**
 * Finds variables that look like a setting and are none: they change nothing, and the operator believes that they do.
 * Of the environment, these are names that differ from a setting, or from the first words of one, by a letter or two,
 * and files of settings that are no secrets. Of the `.env` file they are all names that are no setting.
 * @param inFile names of the variables of the `.env` file
 */
export function unknownSettings(
  environment: Readonly<Record<string, string | undefined>>,
  inFile: readonly string[] = [],
): UnknownSetting[] {
  const ours = new Set(inFile);
  return [...new Set([...Object.keys(environment), ...inFile])]
    .filter((name) => !known.has(name) && !ofOthers.test(name))
    .flatMap((name) => {
      const nearest = nearestTo(name);
      return ours.has(name) || nearest.distance <= mostTypos(name) ? [{ name, nearest: nearest.setting }] : [];
    })
    .sort((left, right) => left.name.localeCompare(right.name));
}

/** Differences that still look like a slip. A short name, such as HOME, is near to many others. */
const mostTypos = ({ length }: string): number => (length < 6 ? 0 : length < 10 ? 1 : 2);

function nearestTo(name: string): { readonly setting: string; readonly distance: number } {
  const given = name.toUpperCase();
  const plain = given.replace(/_FILE$/, '');
  if (plain !== given && names.includes(plain)) return { setting: plain, distance: 0 };
  const found = [...known].map((setting) => {
    const whole = distance(given, setting);
    const begins = Math.min(...beginnings(setting).map((beginning) => distance(given, beginning)));
    // Of two that are as near, the whole name is meant.
    return { setting, distance: Math.min(whole, begins), rank: Math.min(whole, begins + 0.5) };
  });
  return found.reduce((best, each) => (each.rank < best.rank ? each : best));
}

/** The first words of a name, without the whole name. */
function beginnings(setting: string): string[] {
  const words = setting.split('_');
  return words.flatMap((_, count) =>
    count >= leastWords && count < words.length ? [words.slice(0, count).join('_')] : [],
  );
}

/**
 * Counts the letters to insert, remove or replace, and the neighbours to exchange, that turn one text into another
 * (optimal string alignment).
 */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row++) {
    const present = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const [above, left, corner] = [rows[row - 1]![column]!, present[column - 1]!, rows[row - 1]![column - 1]!];
      const exchanged =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? rows[row - 2]![column - 2]! + 1
          : Infinity;
      present.push(Math.min(above + 1, left + 1, corner + (same ? 0 : 1), exchanged));
    }
    rows.push(present);
  }
  return rows[from.length]![to.length]!;
}

import { existsSync } from 'node:fs';

/** Finds the Chromium of this machine. `CHROMIUM` names another one. @throws Error when there is none */
export function chromiumPath(): string {
  const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (!found) throw new Error('there is no Chromium: run scripts/setup.sh, or set CHROMIUM to the path of one');
  return found;
}

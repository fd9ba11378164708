import './style/base.css';
import './style/parts.css';
import './style/plots.css';
import './style/shell.css';
import './style/print.css';
import { render } from 'preact';
import { ConsoleApp } from './shell/console-app.js';
import { followLinks } from './shell/router.js';
import { applyTheme, preferredTheme } from './shell/theme.js';
import { createSession } from './session/session.js';
import { loadWords, preferredLanguage } from './texts/texts.js';

applyTheme(preferredTheme());
followLinks();
const session = createSession();
const [words, hasSession] = await Promise.all([
  loadWords(preferredLanguage()),
  // A server that is away now may be there when the viewer signs in.
  session.resume().catch(() => false),
]);
render(<ConsoleApp session={session} words={words} hasSession={hasSession} />, document.getElementById('console')!);

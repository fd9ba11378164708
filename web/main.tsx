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
import { startSession, type ConsoleFacts } from './session/start.js';
import { loadWords, preferredLanguage } from './texts/texts.js';

applyTheme(preferredTheme());
followLinks();
const session = createSession();
const facts = (await (await fetch('/console.json')).json()) as ConsoleFacts;
const [words, start] = await Promise.all([loadWords(preferredLanguage()), startSession(session, facts)]);
render(<ConsoleApp session={session} facts={facts} words={words} start={start} />, document.getElementById('console')!);

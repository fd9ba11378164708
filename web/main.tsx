import './style/base.css';
import './style/parts.css';
import './style/plots.css';
import './style/shell.css';
import './style/print.css';
import { render, type VNode } from 'preact';
import { ConsoleApp } from './shell/console-app.js';
import { routes } from './routes.js';
import { followLinks, matchPath } from './shell/router.js';
import { applyTheme, preferredTheme } from './shell/theme.js';
import { createSession } from './session/session.js';
import { startSession, type ConsoleFacts } from './session/start.js';
import { loadWords, noServer, preferredLanguage } from './texts/texts.js';

applyTheme(preferredTheme());
followLinks();
const language = preferredLanguage();

async function askFacts(): Promise<ConsoleFacts> {
  const answer = await fetch('/console.json');
  if (!answer.ok) throw new Error(`Status ${answer.status}`);
  return (await answer.json()) as ConsoleFacts;
}

async function begin(): Promise<VNode> {
  const session = createSession();
  const asked = askFacts();
  // The page that the address names is loaded while the session begins.
  void routes
    .find(({ path }) => matchPath(path, location.pathname))
    ?.load()
    .catch(() => undefined);
  const [facts, words, start] = await Promise.all([asked, loadWords(language), startSession(session, asked)]);
  return <ConsoleApp session={session} facts={facts} words={words} start={start} />;
}

function withoutServer(): VNode {
  document.documentElement.lang = language;
  return (
    <main class="message">
      <h1>RiskGraph</h1>
      <p role="alert">{noServer[language]}</p>
    </main>
  );
}

render(await begin().catch(withoutServer), document.getElementById('console')!);

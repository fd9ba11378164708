import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './graphiql-page.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { AccessPanel, KeyIcon } from './access-panel.js';
import { createFetcher } from './fetcher.js';
import { Session } from './session.js';

const welcome = `# GraphiQL of RiskGraph. The key on the left logs you in, and the folder builds queries by clicks.
# Ctrl-Enter runs the operation at the cursor.

query Viewer {
  viewer { username role organization { slug } }
}
`;

const endpoint = new URL('/graphql', location.href).href;
const session = new Session(endpoint);
const access = { title: 'Access', icon: KeyIcon, content: () => <AccessPanel session={session} /> };
const plugins = [access, explorerPlugin(), HISTORY_PLUGIN];

/**
 * Puts GraphiQL into the page. Queries and variables may hold patient data, so they end with the tab. Headers are never
 * stored.
 */
export const showPage = (): void =>
  createRoot(document.getElementById('graphiql')!).render(
    <GraphiQL
      fetcher={createFetcher(endpoint, session)}
      plugins={plugins}
      visiblePlugin={access}
      storage={sessionStorage}
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
      defaultQuery={welcome}
    />,
  );

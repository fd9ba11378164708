import { markStylesWithNonce } from './style-nonce.js';

// The page is imported later, so that nothing of it runs before. A call cannot be dropped: package.json says that no
// module of ours has side effects, and a module that is only imported would be left out of the build.
markStylesWithNonce();
const { showPage } = await import('./graphiql-page.js');
showPage();

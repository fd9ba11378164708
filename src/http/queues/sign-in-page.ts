import { createHash } from 'node:crypto';
import { queuesPath } from './queue-cookie.js';

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 10vh auto; padding: 0 1rem; color: #1b2733 }
  label { display: block; margin: 0.8rem 0 }
  input[type='text'], input[type='password'] { width: 100%; font: inherit; padding: 0.4rem; box-sizing: border-box }
  button { font: inherit; padding: 0.4rem 1.2rem }
  .refusal { color: #a11; font-weight: 600 }
`;

/** The policy of the page: its own style by its hash, its own form, and nothing else. */
export const signInPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page with which an ADMIN signs in.
 * @param refusal the reason why the last attempt was refused; a text of ours, which holds nothing of the caller's
 */
export const signInPage = (refusal?: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="robots" content="noindex"><title>RiskGraph queues</title><style>${style}</style></head>
<body>
<h1>Queues</h1>
${refusal === undefined ? '' : `<p class="refusal" role="alert">${refusal.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`}
<form method="post" action="${queuesPath}/sign-in" autocomplete="off">
<label>Username <input type="text" name="username" maxlength="200"></label>
<label>Password <input type="password" name="password" maxlength="1000"></label>
<label>or access token <input type="password" name="token" maxlength="8000"></label>
<label><input type="checkbox" name="control" value="yes"> I want to change the queues</label>
<button>Sign in</button>
</form>
</body>
</html>
`;

/** What an API key may be allowed to do, as the API accepts it. A test compares the two. */
export const apiKeyScopes = [
  'patient:read-exact-age',
  'prediction:read',
  'prediction:verify',
  'job:read',
  'job:submit',
  'job:control',
  'risk:simulate',
  'model:read',
  'viewer:read',
  'webhook:manage',
] as const;

/** What the host of the embedded MongoDB tells its parent, once. */
export type HostReport = { state: 'ready' } | { state: 'failed'; reason: string };

/** The name, in the socket directory, that always points at the running engine's socket. */
export const stableSocketName = 'mongodb.sock';

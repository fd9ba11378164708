/** The one message of the embedded MongoDB's host to its parent. */
export type HostReport = { state: 'ready' } | { state: 'failed'; reason: string };

/** The link in the socket directory that always points at the running engine's socket. */
export const stableSocketName = 'mongodb.sock';

import type { Viewer } from '../../src/auth/viewer.js';
import type { System } from './system.js';

/** A clinician as services know one. @param slug of the organization */
export async function clinicianOf({ app, token }: System, slug?: string): Promise<Viewer> {
  return {
    ...(await app.accessTokens.verify(await token('CLINICIAN', slug))),
    origin: { requestId: 'test', address: '127.0.0.1' },
  };
}

/** The part of the MongoDB driver that ended-connections.ts mends. The driver does not publish its types. */
declare module 'mongodb/lib/cmap/connection.js' {
  import type { Socket } from 'node:net';

  export interface DriverConnection {
    readonly closed: boolean;
    readonly socket: Socket;
    cleanup(error: Error): void;
  }
  export const Connection: { readonly prototype: DriverConnection };
}

import { Connection, type DriverConnection } from 'mongodb/lib/cmap/connection.js';

const { cleanup } = Connection.prototype;

function cleanUpAndTell(this: DriverConnection, error: Error): void {
  const isOpen = !this.closed;
  cleanup.call(this, error);
  if (isOpen && this.socket.listenerCount('drain') > 0) this.socket.emit('error', error);
}

/**
 * Lets a command fail whose connection to MongoDB ends while the command is written. The driver (7.2.0, and 7.9.0 still)
 * waits for the socket to have room again or to emit an error. A socket that is closed does neither: one whose server
 * did not answer in time, or one that MongoDB has closed while the driver still takes it for open. Without this function,
 * the command and its callers would wait for ever.
 *
 * Call it before the first connection. A second call changes nothing.
 * https://github.com/mongodb/node-mongodb-native/blob/v7.2.0/src/cmap/connection.ts (`writeCommand`)
 */
export function failUnwrittenCommands(): void {
  Connection.prototype.cleanup = cleanUpAndTell;
}

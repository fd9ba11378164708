import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A server of names (RFC 1035) on this machine. */
interface NameServer {
  /** Address and port. */
  readonly address: string;
  /** Names that were asked for, in their order. */
  readonly asked: readonly string[];
}

/**
 * Starts a server of names until the end of the test.
 * @param addressOf the IPv4 address of a name; null when it has none, undefined to give no answer at all
 */
export async function startNameServer(addressOf: (name: string) => string | null | undefined): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (question: Buffer, from: RemoteInfo) => {
    const { name, end } = nameIn(question);
    asked.push(name);
    const address = addressOf(name);
    if (address === undefined) return;
    const isIpv4 = question.readUInt16BE(end) === 1;
    const answers = address !== null && isIpv4 ? [recordOf(address)] : [];
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(address === null ? 0x81_83 : 0x81_80, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, question.subarray(12, end + 4), ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

/** The name of a question, and the place behind it. */
function nameIn(question: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at]!; length > 0; length = question[at]!) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** A record of type A for the name of the question. */
const recordOf = (address: string): Buffer =>
  Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);

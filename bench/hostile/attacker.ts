import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { attacks, type Target } from './attacks.js';

// A process of attackers: a few at a time, each from an address of its own, each with one attack after the other.
// Arguments: the port, a token of the attackers' organization, and the seconds that it lasts.
const [port, token, seconds] = process.argv.slice(2) as [string, string, string];
const target: Target = { port: Number(port), token };
const until = Date.now() + Number(seconds) * 1000;
const names = Object.keys(attacks);
const counts = new Map(names.map((name) => [name, 0]));

async function attacker(number: number): Promise<void> {
  while (Date.now() < until) {
    const name = names[randomInt(names.length)]!;
    const sockets = await attacks[name]!(target, `127.0.1.${number + 1}`).catch(() => []);
    counts.set(name, counts.get(name)! + sockets.length);
    // Most connections are held for a while. Some are ended at once, in the middle of an answer.
    await sleep(randomInt(4) === 0 ? 0 : randomInt(1_500));
    for (const socket of sockets) if (randomInt(3) > 0) socket.destroy();
    setTimeout(() => sockets.forEach((socket) => socket.destroy()), randomInt(20_000)).unref();
  }
}

await Promise.all(Array.from({ length: 12 }, (_, number) => attacker(number)));
process.send!(Object.fromEntries(counts), () => process.exit(0));

// Runs within the API: answers each SIGUSR2 with the delays of its event loop since the last one, milliseconds.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  const ms = (nanoseconds) => Math.round(nanoseconds / 1e5) / 10;
  const read = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), most: ms(delay.max) };
  delay.reset();
  writeFileSync(process.env.LOOP_DELAY_FILE, JSON.stringify(read));
});

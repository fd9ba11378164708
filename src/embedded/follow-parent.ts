/** Milliseconds that `stop` may take. After them the process exits without it. */
const patience = 20_000;

/**
 * Ends this child process together with its parent. On SIGTERM, and when the parent is gone, `stop` runs once and the
 * process exits: 0 after a clean stop, 1 after a failed one. The parent's end of the IPC channel closes even after kill
 * -9. SIGINT and SIGHUP are left to the parent, which stops its children in order.
 */
export function followParent(stop: () => Promise<void>): void {
  let stopping = false;
  const end = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), patience).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', end);
  process.on('disconnect', end);
  if (!process.connected) end();
}

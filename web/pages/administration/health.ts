/** What the server says of its own health. */
export interface Health {
  readonly dependencies?: Readonly<Record<string, 'up' | 'down'>>;
  /** The reasons, with the remedies, of those that are down. */
  readonly reasons?: Readonly<Record<string, string>>;
}

/** Asks the server for its health. @returns no dependencies when it does not answer */
export async function readHealth(): Promise<Health> {
  try {
    return (await (await fetch('/health')).json()) as Health;
  } catch {
    return {};
  }
}

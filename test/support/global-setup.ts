/** Runs once before all tests: starts the engines that tests share. */
export async function setup(): Promise<void> {
  // Engines are started here once src/embedded exists.
}

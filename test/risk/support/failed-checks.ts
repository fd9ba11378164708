import { checkModel } from '../../../src/risk/check/check-model.js';

/** Checks a bundle. @returns the details of its failed checks, one per line */
export async function failedChecks(path: string): Promise<string> {
  const { results } = await checkModel(path);
  return results.flatMap(({ ok, detail }) => (ok ? [] : [detail])).join('\n');
}

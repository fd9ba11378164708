import { spaceWords } from '../../src/risk/plots/output-words.js';
import type { ExplainedModel } from './waterfall.js';
import { useTexts } from '../texts/texts.js';

/** Names the space in which the contributions of a model add up. */
export function useSpace({ outputSpace, quantity }: Pick<ExplainedModel, 'outputSpace' | 'quantity'>): string {
  const { plots } = useTexts();
  return spaceWords({ outputSpace, quantity: quantity ?? undefined }, plots);
}

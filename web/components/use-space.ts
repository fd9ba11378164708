import type { ExplainedModel } from './waterfall.js';
import { useTexts } from '../texts/texts.js';

/** Names the space in which the contributions of a model add up. */
export function useSpace({ outputSpace, quantity }: Pick<ExplainedModel, 'outputSpace' | 'quantity'>): string {
  const { cohort } = useTexts();
  return cohort.space[outputSpace](quantity?.unitLabel || cohort.theQuantity);
}

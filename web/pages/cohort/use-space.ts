import { useTexts } from '../../texts/texts.js';
import type { CohortModel } from './cohort-data.js';

/** Names the space in which the contributions of a model add up. */
export function useSpace({ outputSpace, quantity }: CohortModel): string {
  const { cohort } = useTexts();
  return cohort.space[outputSpace](quantity?.unitLabel || cohort.theQuantity);
}

import type { VNode } from 'preact';
import type { RiskBand } from '../generated/graphql.js';
import { useTexts } from '../texts/texts.js';

/** Colours of the bands. The name says the same. */
const tones: Readonly<Record<RiskBand, string>> = {
  LOW: 'good',
  MODERATE: 'warning',
  HIGH: 'danger',
  VERY_HIGH: 'danger strong',
};

/** A risk band by name and colour. */
export function Band({ band }: { readonly band: RiskBand }): VNode {
  const { patient } = useTexts();
  return <span class={`badge ${tones[band]}`}>{patient.bands[band]}</span>;
}

import type { ConsoleModelQuery } from '../../generated/graphql.js';

export type Model = NonNullable<ConsoleModelQuery['riskModel']>;
export type Feature = Model['features'][number];

/** The name of a feature with its unit. */
export const labelWithUnit = ({ label, unitLabel }: Feature): string => (unitLabel ? `${label} (${unitLabel})` : label);

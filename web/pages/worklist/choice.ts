import type { PatientFilter, PatientOrder, RiskBand } from '../../generated/graphql.js';

/** Orders of the worklist. `highest` and `lowest` are about the latest result. */
export const orders = ['highest', 'lowest', 'changed', 'created'] as const;
export type Order = (typeof orders)[number];
/** All bands, lowest first. */
export const riskBands = ['LOW', 'MODERATE', 'HIGH', 'VERY_HIGH'] as const satisfies readonly RiskBand[];

/** A choice of patients that may stand in an address: it names no patient. */
export interface Choice {
  /** A RiskModel.modelId. Absent: the first model. */
  readonly model?: string | undefined;
  readonly bands: readonly RiskBand[];
  readonly order: Order;
}

/** Ways to look for a patient, as fields of PatientFilter. */
export const searchFields = ['familyName', 'familyNamePrefix', 'mrn', 'mrnPrefix'] as const;
/** A search for a patient. It stays in memory: an address, a history or a store must not hold it. */
export interface Search {
  readonly by: (typeof searchFields)[number];
  readonly text: string;
}

const oneOf = <T extends string>(allowed: readonly T[], text: string | null): T | undefined =>
  allowed.find((value) => value === text);

/** Reads the choice from the query string of an address. Parts that make no sense are left out. */
export function readChoice(query: URLSearchParams): Choice {
  return {
    model: query.get('model') ?? undefined,
    bands: riskBands.filter((band) => query.get('bands')?.split(',').includes(band)),
    order: oneOf(orders, query.get('order')) ?? 'highest',
  };
}

/** Writes the choice as a query string, without the parts that are as they are by default. */
export function writeChoice({ model, bands, order }: Choice): string {
  const query = new URLSearchParams();
  if (model) query.set('model', model);
  if (bands.length > 0) query.set('bands', bands.join(','));
  if (order !== 'highest') query.set('order', order);
  const text = query.toString();
  return text && `?${text}`;
}

/** Tells whether the list has the order of results. A search finds patients that were never scored too: it has not. */
const isByResult = ({ order }: Choice, search: Search | undefined): boolean =>
  !search && (order === 'highest' || order === 'lowest');

/** Tells whether an order, or a band, leaves out patients that were never scored. */
export const onlyScored = (choice: Choice, search: Search | undefined): boolean =>
  choice.bands.length > 0 || isByResult(choice, search);

/** Makes the arguments of Query.patients. @param model the model of the results, with its kind of answer */
export function toArguments(
  choice: Choice,
  search: Search | undefined,
  model: { readonly modelId: string; readonly isQuantity: boolean },
): { readonly filter: PatientFilter; readonly orderBy: PatientOrder } {
  const field = choice.order === 'created' ? 'CREATED_AT' : 'UPDATED_AT';
  return {
    filter: {
      ...(onlyScored(choice, search) && { latestModelId: model.modelId }),
      ...(choice.bands.length > 0 && { latestRiskBands: [...choice.bands] }),
      ...(search && { [search.by]: search.text }),
    },
    orderBy: isByResult(choice, search)
      ? {
          field: model.isQuantity ? 'LATEST_QUANTITY' : 'LATEST_PROBABILITY',
          direction: choice.order === 'highest' ? 'DESC' : 'ASC',
        }
      : { field, direction: 'DESC' },
  };
}

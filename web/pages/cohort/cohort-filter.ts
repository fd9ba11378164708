import { addressTime } from '../../components/address-time.js';
import type { AdministrativeGender, PatientFilter, RiskBand } from '../../generated/graphql.js';

/** Conditions that tell who a person is. They stay in the memory of the page, never in its address. */
export interface PrivateConditions {
  readonly mrnPrefix: string;
  readonly familyName: string;
}

/** The patients that the form chooses. */
interface Choice {
  readonly filter: PatientFilter;
  /** True without any condition: every patient that the viewer may see. */
  readonly isAll: boolean;
}

/**
 * Makes a filter of the values in the address and of those that must not stand there. A value that is none counts as
 * absent.
 * @param modelId the model whose latest results the conditions on risk are about
 */
export function choiceOf(query: URLSearchParams, own: PrivateConditions, modelId: string): Choice {
  const share = (name: string): number | undefined => {
    const value = Number.parseFloat(query.get(name) ?? '');
    return value >= 0 && value <= 100 ? value / 100 : undefined;
  };
  const bands = query.getAll('band') as RiskBand[];
  const latest = {
    latestRiskBands: bands.length > 0 ? bands : undefined,
    minimumLatestProbability: share('from'),
    maximumLatestProbability: share('to'),
  };
  const hasLatest = Object.values(latest).some((value) => value !== undefined);
  const filter = {
    sex: (query.get('sex') as AdministrativeGender | null) ?? undefined,
    createdAfter: addressTime(query, 'created'),
    updatedAfter: addressTime(query, 'changed'),
    mrnPrefix: own.mrnPrefix.trim() || undefined,
    familyName: own.familyName.trim() || undefined,
    ...latest,
    ...(hasLatest && { latestModelId: modelId }),
  };
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as PatientFilter;
  return { filter: given, isAll: Object.keys(given).length === 0 };
}

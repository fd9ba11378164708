import { BadUserInputError, type FieldError } from '../errors.js';
import { shownCode } from '../risk/encode.js';
import { featureValueIssue } from '../risk/feature-value.js';
import type { ModelFeature, RiskModelManifest } from '../risk/manifest.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';

/** The features that a patient may hold: those of all risk models, retired ones too, by code. */
export interface FeatureCatalogue {
  /** The definition of a feature; undefined when no model served has it. */
  get(code: string): ModelFeature | undefined;
  /** All definitions: another object when they have changed. */
  definitions(): object;
  /**
   * All issues with these values. What is no list of features, and what is no code or no number, is left to the check of
   * its form.
   * @param path place of the list in the caller's input
   */
  issues(features: unknown, path: string): FieldError[];
}

/**
 * Joins the features of all models, and follows the registry. If models disagree on the range, a value is accepted when
 * at least one model takes it. The registry makes sure that they agree on the unit.
 */
export function createFeatureCatalogue(registry: Pick<RiskModelRegistry, 'manifests'>): FeatureCatalogue {
  let joined: readonly RiskModelManifest[] | undefined;
  let definitions = new Map<string, ModelFeature[]>();
  /** The definitions of a feature. They are joined again when the registry has another list of models. */
  function definitionsOf(code: string): readonly ModelFeature[] | undefined {
    return current().get(code);
  }
  function current(): ReadonlyMap<string, readonly ModelFeature[]> {
    if (joined !== registry.manifests()) {
      joined = registry.manifests();
      definitions = byCode(joined);
    }
    return definitions;
  }
  return {
    // A definition with a source comes first: if one model takes the feature from the birth date, it is an age for all.
    get: (code) => definitionsOf(code)?.find(({ source }) => source) ?? definitionsOf(code)?.[0],
    definitions: current,
    issues: (given, path) => {
      const features = wellFormed(given);
      return [
        ...features.flatMap(({ code, value, position }) => {
          const known = definitionsOf(code);
          const at = `${path}[${position}]`;
          if (!known)
            return [
              {
                path: `${at}.code`,
                message: `no risk model served has a feature "${shownCode(code)}": see riskModels { features { code } }`,
              },
            ];
          if (typeof value !== 'number') return [];
          const issues = known.map((definition) => featureValueIssue(definition, value));
          const refused = issues.every((issue) => issue !== undefined) ? issues[0] : undefined;
          return refused ? [{ path: `${at}.value`, message: `${code} ${refused}` }] : [];
        }),
        ...repeatedCodes(features, path),
      ];
    },
  };
}

/** Refuses the `features` of an input. @throws BadUserInputError with every issue of their codes and values */
export function refuseFeatures(catalogue: Pick<FeatureCatalogue, 'issues'>, features: unknown): void {
  const issues = catalogue.issues(features, 'features');
  if (issues.length > 0) throw new BadUserInputError(issues);
}

/** Most features of one input that are looked at. The check of the form refuses more. */
const mostFeatures = 1_000;

interface GivenFeature {
  readonly code: string;
  readonly value: unknown;
  readonly position: number;
}

/** The elements of a list that have a code, with their places in it. */
function wellFormed(given: unknown): GivenFeature[] {
  if (!Array.isArray(given) || given.length > mostFeatures) return [];
  return given.flatMap((feature: unknown, position) => {
    const { code, value } = (feature ?? {}) as { readonly code?: unknown; readonly value?: unknown };
    return typeof code === 'string' ? [{ code, value, position }] : [];
  });
}

function byCode(manifests: readonly RiskModelManifest[]): Map<string, ModelFeature[]> {
  const definitions = new Map<string, ModelFeature[]>();
  for (const feature of manifests.flatMap(({ features }) => features)) {
    const known = definitions.get(feature.code);
    if (known) known.push(feature);
    else definitions.set(feature.code, [feature]);
  }
  return definitions;
}

function repeatedCodes(features: readonly GivenFeature[], path: string): FieldError[] {
  const places = new Map<string, number>();
  return features.flatMap(({ code, position }) => {
    const first = places.get(code);
    if (first === undefined) places.set(code, position);
    return first === undefined
      ? []
      : [{ path: `${path}[${position}].code`, message: `is the same feature as ${path}[${first}]: give each once` }];
  });
}

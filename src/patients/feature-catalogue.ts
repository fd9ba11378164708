import type { FieldError } from '../errors.js';
import { shownCode } from '../risk/encode.js';
import { featureValueIssue } from '../risk/feature-value.js';
import type { ModelFeature, RiskModelManifest } from '../risk/manifest.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';

/** The features that a patient may hold: those of all risk models, retired ones too, by code. */
export interface FeatureCatalogue {
  /** The definition of a feature; undefined when no model served has it. */
  get(code: string): ModelFeature | undefined;
  /** All issues with these values. `path` names their place in the caller's input. */
  issues(features: readonly { readonly code: string; readonly value: number | null }[], path: string): FieldError[];
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
    if (joined !== registry.manifests()) {
      joined = registry.manifests();
      definitions = byCode(joined);
    }
    return definitions.get(code);
  }
  return {
    // A definition with a source comes first: if one model takes the feature from the birth date, it is an age for all.
    get: (code) => definitionsOf(code)?.find(({ source }) => source) ?? definitionsOf(code)?.[0],
    issues: (features, path) => [
      ...features.flatMap(({ code, value }, position) => {
        const known = definitionsOf(code);
        const at = `${path}[${position}]`;
        if (!known)
          return [
            {
              path: `${at}.code`,
              message: `no risk model served has a feature "${shownCode(code)}": see riskModels { features { code } }`,
            },
          ];
        if (value === null) return [];
        const issues = known.map((definition) => featureValueIssue(definition, value));
        const refused = issues.every((issue) => issue !== undefined) ? issues[0] : undefined;
        return refused ? [{ path: `${at}.value`, message: `${code} ${refused}` }] : [];
      }),
      ...repeatedCodes(features, path),
    ],
  };
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

function repeatedCodes(features: readonly { readonly code: string }[], path: string): FieldError[] {
  return features.flatMap(({ code }, position) => {
    const first = features.findIndex((feature) => feature.code === code);
    return first < position
      ? [{ path: `${path}[${position}].code`, message: `is the same feature as ${path}[${first}]: give each once` }]
      : [];
  });
}

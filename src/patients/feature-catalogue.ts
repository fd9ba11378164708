import { StartupError, type FieldError } from '../errors.js';
import { shownCode } from '../risk/encode.js';
import { featureValueIssue } from '../risk/feature-value.js';
import type { ModelFeature } from '../risk/manifest.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';

/** The features that a patient may hold: those of all risk models served, by code. */
export interface FeatureCatalogue {
  /** The definition of a feature; undefined when no model served has it. */
  get(code: string): ModelFeature | undefined;
  /** All issues with these values. `path` names their place in the caller's input. */
  issues(features: readonly { readonly code: string; readonly value: number | null }[], path: string): FieldError[];
}

/**
 * Joins the features of all models. If models disagree on the range, a value is accepted when at least one model takes
 * it.
 * @throws StartupError when two models give the same code different units: the stored number would be ambiguous
 */
export function createFeatureCatalogue(registry: RiskModelRegistry): FeatureCatalogue {
  const definitions = new Map<string, ModelFeature[]>();
  for (const model of registry.list()) {
    for (const feature of model.manifest.features) {
      const known = definitions.get(feature.code) ?? [];
      const other = known.find((definition) => definition.unit !== feature.unit);
      if (other) {
        throw new StartupError(
          `Risk model ${model.manifest.id}@${model.manifest.version}: feature "${feature.code}" is in ` +
            `${feature.unit}, but in ${other.unit} in another model served: give one of them another code.`,
        );
      }
      definitions.set(feature.code, [...known, feature]);
    }
  }
  return {
    // A definition with a source comes first: if one model takes the feature from the birth date, it is an age for all.
    get: (code) => definitions.get(code)?.find(({ source }) => source) ?? definitions.get(code)?.[0],
    issues: (features, path) => [
      ...features.flatMap(({ code, value }, position) => {
        const known = definitions.get(code);
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

function repeatedCodes(features: readonly { readonly code: string }[], path: string): FieldError[] {
  return features.flatMap(({ code }, position) => {
    const first = features.findIndex((feature) => feature.code === code);
    return first < position
      ? [{ path: `${path}[${position}].code`, message: `is the same feature as ${path}[${first}]: give each once` }]
      : [];
  });
}

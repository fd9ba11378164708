import type { ModelFeature as ManifestFeature } from '../../src/risk/manifest.js';
import { versionName } from '../../src/risk/model-name.js';
import type { RiskModel } from '../../src/risk/risk-model.js';
import type {
  FeatureKind,
  MissingValuePolicy,
  ModelFeature,
  OutputSpace,
  RiskBand,
  RiskModelType,
  ShapMethod,
} from './risk-model.type.js';

export function toModelFeature(feature: ManifestFeature): ModelFeature {
  const { missing } = feature;
  return {
    code: feature.code,
    label: feature.label,
    description: feature.description ?? null,
    unit: feature.unit,
    unitLabel: feature.unitLabel,
    kind: feature.kind as FeatureKind,
    range: feature.range ?? null,
    codes: feature.codes?.map((code) => ({ ...code, text: code.text ?? null })) ?? null,
    missing: {
      policy: missing.policy as MissingValuePolicy,
      value: missing.policy === 'IMPUTE' ? missing.value : null,
      meaning: missing.policy === 'REQUIRED' ? null : missing.meaning,
    },
  };
}

/** Maps a risk model to the object that the API shows. */
export function toRiskModel(model: RiskModel): RiskModelType {
  const { manifest, sha256, card, shapMethods } = model;
  const features = manifest.features.map(toModelFeature);
  const importance = manifest.globalImportance ?? {};
  return {
    id: versionName(manifest.id, manifest.version),
    modelId: manifest.id,
    version: manifest.version,
    sha256,
    name: manifest.name,
    description: manifest.description,
    intendedUse: manifest.intendedUse,
    outcome: manifest.outcome,
    outputSpace: manifest.outputSpace as OutputSpace,
    quantity: manifest.quantity ?? null,
    classes: [...(manifest.classes ?? [])],
    riskClass: manifest.riskClass ?? null,
    shapMethods: shapMethods as ShapMethod[],
    features,
    riskBands: manifest.riskBands.map(({ band, from, meaning }) => ({ band: band as RiskBand, from, meaning })),
    metrics: manifest.metrics.map((metric) => ({ ...metric, confidenceInterval: metric.confidenceInterval ?? null })),
    reliability: manifest.reliability ?? null,
    training: {
      ...manifest.training,
      events: manifest.training.events ?? null,
      sites: (manifest.training.sites ?? []).map((site) => ({ ...site, events: site.events ?? null })),
    },
    globalImportance: features
      .flatMap((feature) => (feature.code in importance ? [{ feature, value: importance[feature.code]! }] : []))
      .sort((a, b) => b.value - a.value),
    card,
    source: model,
  };
}

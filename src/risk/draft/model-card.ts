import type { DraftFeature } from './draft-features.js';

interface CardFacts {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly algorithm: string;
  readonly patients?: number;
  readonly features: readonly DraftFeature[];
}

/** Drafts MODEL_CARD.md: the headings that a reader expects, and the facts that are known. */
export function draftCard({ name, version, sha256, algorithm, patients, features }: CardFacts): string {
  const rows = features.map(
    (feature) =>
      `| \`${feature.code}\` | ${cell(feature.label)} | ${cell(allowed(feature))} | ${whenMissing(feature)} |`,
  );
  return `# ${name}, version ${version}

**Outcome**: TODO. **File**: \`model.onnx\`, SHA-256 \`${sha256}\`.

## Intended use

TODO: for whom the model is, in which decision it helps, and who reads its result.

**Not for**: TODO.

## Data

TODO: where the data are from, when they were collected, who was included and who was not.
${patients === undefined ? '' : `\nThe training table has ${patients} rows.\n`}
## Model

${algorithm}

| code | input | allowed | when missing |
| --- | --- | --- | --- |
${rows.join('\n')}

## Results

TODO: discrimination, calibration and clinical use, each with its method and its uncertainty, also for subgroups.

## Limits

TODO: where the model is wrong, and how it is watched in use.

## Contact

TODO.
`;
}

const cell = (text: string): string => text.replace(/\|/g, '\\|');

function allowed({ codes, range }: DraftFeature): string {
  if (codes) return codes.map(({ value }) => String(value)).join(', ');
  return `${range!.min} to ${range!.max}`;
}

function whenMissing({ missing }: DraftFeature): string {
  if (missing.policy === 'REQUIRED') return 'refused';
  return missing.policy === 'NATIVE' ? 'given to the model' : `taken as ${missing.value}`;
}

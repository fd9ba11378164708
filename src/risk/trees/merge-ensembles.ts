import type { TreeEnsemble } from '../tree-ensemble.js';

/** One ensemble's share in a sum. Its outputs start at `firstOutput`; each is multiplied by its scale. */
interface EnsembleShare {
  readonly ensemble: TreeEnsemble;
  readonly firstOutput: number;
  readonly scale: Float64Array;
}

/**
 * Makes one ensemble from several. Its raw outputs are their scaled sum, plus an offset.
 * All must have the same features and precision. Covers are kept when every ensemble has them.
 */
export function mergeEnsembles(shares: readonly EnsembleShare[], offset: Float64Array): TreeEnsemble {
  const [only] = shares;
  if (shares.length === 1 && only!.scale.every((scale) => scale === 1) && offset.every((value) => value === 0))
    return only!.ensemble;
  const nodeOffsets: number[] = [];
  let nodes = 0;
  for (const { ensemble } of shares) {
    nodeOffsets.push(nodes);
    nodes += ensemble.mode.length;
  }
  const baseValues = offset.slice();
  for (const { ensemble, firstOutput, scale } of shares)
    ensemble.baseValues.forEach((value, output) => (baseValues[firstOutput + output]! += value * scale[output]!));
  const gather = (pick: (ensemble: TreeEnsemble, share: number) => Iterable<number>): number[] => {
    const all: number[] = [];
    shares.forEach(({ ensemble }, share) => {
      for (const value of pick(ensemble, share)) all.push(value);
    });
    return all;
  };
  const child = (values: Int32Array, share: number): Int32Array =>
    values.map((value) => (value < 0 ? value : value + nodeOffsets[share]!));
  let entries = 0;
  const leafStart = [0];
  for (const { ensemble } of shares) {
    for (const end of ensemble.leafStart.subarray(1)) leafStart.push(entries + end);
    entries += ensemble.leafOutput.length;
  }
  return {
    featureCount: only!.ensemble.featureCount,
    outputCount: offset.length,
    precision: only!.ensemble.precision,
    roots: Int32Array.from(gather((ensemble, share) => ensemble.roots.map((root) => root + nodeOffsets[share]!))),
    mode: Uint8Array.from(gather((ensemble) => ensemble.mode)),
    feature: Int32Array.from(gather((ensemble) => ensemble.feature)),
    threshold: Float64Array.from(gather((ensemble) => ensemble.threshold)),
    trueChild: Int32Array.from(gather((ensemble, share) => child(ensemble.trueChild, share))),
    falseChild: Int32Array.from(gather((ensemble, share) => child(ensemble.falseChild, share))),
    missingTracksTrue: Uint8Array.from(gather((ensemble) => ensemble.missingTracksTrue)),
    cover: shares.every(({ ensemble }) => ensemble.cover)
      ? Float64Array.from(gather((ensemble) => ensemble.cover!))
      : null,
    leafStart: Int32Array.from(leafStart),
    leafOutput: Int32Array.from(
      gather((ensemble, share) => ensemble.leafOutput.map((output) => output + shares[share]!.firstOutput)),
    ),
    leafWeight: Float64Array.from(
      gather((ensemble, share) =>
        ensemble.leafWeight.map((weight, entry) => weight * shares[share]!.scale[ensemble.leafOutput[entry]!]!),
      ),
    ),
    baseValues,
    postTransform: only!.ensemble.postTransform,
  };
}

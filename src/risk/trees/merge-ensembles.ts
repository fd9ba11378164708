import { InvalidModelError } from '../errors.js';
import { longestList } from '../onnx/lists.js';
import type { TreeEnsemble } from '../tree-ensemble.js';

/** One ensemble's share in raw outputs: each of its outputs, times a factor, goes to some of them. */
export interface EnsembleShare {
  readonly ensemble: TreeEnsemble;
  /** By output of the ensemble: the raw outputs that it goes to. */
  readonly targets: readonly (readonly { readonly output: number; readonly factor: number }[])[];
}

/**
 * Makes one ensemble from several. Its raw outputs are their scaled sums, plus an offset each.
 * All must have the same features and precision. Covers are kept when every ensemble has them.
 * @throws InvalidModelError when the leaves would have more weights than `longestList`
 */
export function mergeEnsembles(shares: readonly EnsembleShare[], offset: Float64Array): TreeEnsemble {
  const [only] = shares;
  if (shares.length === 1 && isWhole(only!, offset)) return only!.ensemble;
  const nodeOffsets: number[] = [];
  let nodes = 0;
  for (const { ensemble } of shares) {
    nodeOffsets.push(nodes);
    nodes += ensemble.mode.length;
  }
  const baseValues = offset.slice();
  for (const { ensemble, targets } of shares)
    ensemble.baseValues.forEach((value, own) => {
      for (const { output, factor } of targets[own]!) baseValues[output]! += value * factor;
    });
  const gather = (pick: (ensemble: TreeEnsemble, share: number) => Iterable<number>): number[] => {
    const all: number[] = [];
    shares.forEach(({ ensemble }, share) => {
      for (const value of pick(ensemble, share)) all.push(value);
    });
    return all;
  };
  const child = (values: Int32Array, share: number): Int32Array =>
    values.map((value) => (value < 0 ? value : value + nodeOffsets[share]!));
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
    ...mergedLeaves(shares, nodes),
    baseValues,
    postTransform: only!.ensemble.postTransform,
  };
}

/** Tells whether a share gives its outputs as they are. */
function isWhole({ ensemble, targets }: EnsembleShare, offset: Float64Array): boolean {
  return (
    ensemble.outputCount === offset.length &&
    offset.every((value) => value === 0) &&
    targets.every((list, own) => list.length === 1 && list[0]!.output === own && list[0]!.factor === 1)
  );
}

function mergedLeaves(
  shares: readonly EnsembleShare[],
  nodes: number,
): Pick<TreeEnsemble, 'leafStart' | 'leafOutput' | 'leafWeight'> {
  let entries = 0;
  for (const { ensemble, targets } of shares) for (const own of ensemble.leafOutput) entries += targets[own]!.length;
  if (entries > longestList)
    throw new InvalidModelError(
      'ONNX file',
      `its leaves have more than ${longestList} weights in all outputs, which is the limit`,
      'serve a smaller model',
    );
  const leafStart = new Int32Array(nodes + 1);
  const leafOutput = new Int32Array(entries);
  const leafWeight = new Float64Array(entries);
  let node = 0;
  let entry = 0;
  for (const { ensemble, targets } of shares)
    for (let own = 0; own < ensemble.mode.length; own++) {
      for (let place = ensemble.leafStart[own]!; place < ensemble.leafStart[own + 1]!; place++)
        for (const { output, factor } of targets[ensemble.leafOutput[place]!]!) {
          leafOutput[entry] = output;
          leafWeight[entry++] = ensemble.leafWeight[place]! * factor;
        }
      leafStart[++node] = entry;
    }
  return { leafStart, leafOutput, leafWeight };
}

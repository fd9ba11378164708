import { goesTrue } from '../../../../src/risk/trees/route.js';
import { NodeMode, type TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';

/** A cooperative game: the value of one raw output when the features of a bit mask are known. */
export type Game = (known: number) => number;

/** Cover-weighted conditional expectation; unknown features follow both children in proportion to their cover. */
export function pathDependentGame(ensemble: TreeEnsemble, row: Float64Array, output: number): Game {
  const cover = ensemble.cover!;
  const value = (node: number, known: number): number => {
    if (ensemble.mode[node] === NodeMode.LEAF) return leafWeight(ensemble, node, output);
    const [yes, no] = [ensemble.trueChild[node]!, ensemble.falseChild[node]!];
    const feature = ensemble.feature[node]!;
    if ((known >> feature) & 1) return value(goesTrue(ensemble, node, row[feature]!) ? yes : no, known);
    if (cover[node] === 0) return (value(yes, known) + value(no, known)) / 2;
    return (cover[yes]! * value(yes, known) + cover[no]! * value(no, known)) / cover[node]!;
  };
  return (known) => ensemble.roots.reduce((sum, root) => sum + value(root, known), ensemble.baseValues[output]!);
}

/** Mean raw output over the background rows with the known features replaced by the row's. */
export function interventionalGame(
  ensemble: TreeEnsemble,
  row: Float64Array,
  background: Float64Array,
  backgroundRows: number,
  output: number,
): Game {
  const width = ensemble.featureCount;
  const value = (node: number, mixed: Float64Array): number => {
    if (ensemble.mode[node] === NodeMode.LEAF) return leafWeight(ensemble, node, output);
    return value(
      goesTrue(ensemble, node, mixed[ensemble.feature[node]!]!)
        ? ensemble.trueChild[node]!
        : ensemble.falseChild[node]!,
      mixed,
    );
  };
  return (known) => {
    let sum = 0;
    for (let reference = 0; reference < backgroundRows; reference++) {
      const mixed = row.map((own, feature) =>
        (known >> feature) & 1 ? own : background[reference * width + feature]!,
      );
      sum += ensemble.roots.reduce((total, root) => total + value(root, mixed), ensemble.baseValues[output]!);
    }
    return sum / backgroundRows;
  };
}

/** Shapley values straight from their definition: 2^features evaluations. */
export function shapleyValues(game: Game, featureCount: number): Float64Array {
  const values = tabulate(game, featureCount);
  return Float64Array.from({ length: featureCount }, (_, feature) =>
    values.reduce(
      (sum, without, known) =>
        (known >> feature) & 1
          ? sum
          : sum +
            ((factorial(bits(known)) * factorial(featureCount - bits(known) - 1)) / factorial(featureCount)) *
              (values[known | (1 << feature)]! - without),
      0,
    ),
  );
}

function tabulate(game: Game, featureCount: number): Float64Array {
  return Float64Array.from({ length: 1 << featureCount }, (_, known) => game(known));
}

function leafWeight(ensemble: TreeEnsemble, leaf: number, output: number): number {
  let weight = 0;
  for (let entry = ensemble.leafStart[leaf]!; entry < ensemble.leafStart[leaf + 1]!; entry++)
    if (ensemble.leafOutput[entry] === output) weight += ensemble.leafWeight[entry]!;
  return weight;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count++;
  return count;
}

function factorial(of: number): number {
  return of < 2 ? 1 : of * factorial(of - 1);
}

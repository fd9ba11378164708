import { InvalidModelError } from '../errors.js';
import type { RiskModelManifest } from '../manifest.js';
import type { ParsedModel } from '../parse-model.js';
import { columnOfOutput } from '../output-columns.js';
import { isShare, spaceOfLink } from '../output-spaces.js';
import { boundsOf } from '../trees/output-bounds.js';

/** Largest logarithm of a float32, the type in which model files compute an exponential. */
const largestLogarithm = 88;

/** Checks that the manifest says what this model puts out. @throws InvalidModelError naming the first mismatch */
export function requireMatchingOutput(manifest: RiskModelManifest, parsed: ParsedModel): void {
  const { outputSpace, outputIndex } = manifest;
  const { outputCount } = parsed.ensemble;
  if (outputIndex >= outputCount)
    throw refusal(
      `outputIndex is ${outputIndex} and the model has ${outputCount} output${outputCount === 1 ? '' : 's'}`,
      `choose one from 0 to ${outputCount - 1}`,
    );
  if (manifest.quantity) return requireQuantity(manifest, parsed);
  if (manifest.classes) requireClasses(manifest.classes, parsed);
  const { link } = columnOfOutput(parsed.columns, outputIndex)!;
  if (link === 'EXP')
    throw refusal(
      "outputSpace is that of a probability, but the model's output is an exponential",
      'write LOG, and the unit of the quantity under "quantity"',
    );
  if (outputSpace === 'PROBABILITY' && (link === 'LOGISTIC' || link === 'SOFTMAX'))
    throw refusal(`outputSpace is PROBABILITY, but the trees add up before the model's ${link}`, 'write LOG_ODDS');
  if (outputSpace === 'LOG_ODDS' && parsed.labels && link === 'IDENTITY' && isShare(parsed, outputIndex))
    throw refusal('outputSpace is LOG_ODDS, but the trees add up to the probability itself', 'write PROBABILITY');
  if (outputSpace === 'PROBABILITY' && link === 'IDENTITY' && manifest.calibration.method === 'NONE')
    for (const output of manifest.classes?.keys() ?? [outputIndex]) requireProbability(parsed, output);
}

function requireProbability(parsed: ParsedModel, output: number): void {
  const { low, high } = boundsOf(parsed.ensemble, output);
  if (!isShare(parsed, output))
    throw refusal(
      `outputSpace is PROBABILITY, but the trees can add up to ${shown(low)} and to ${shown(high)}`,
      'write LOG_ODDS for the log-odds of a probability; for a quantity write IDENTITY or LOG, and its unit under ' +
        '"quantity"',
    );
}

function requireClasses(classes: readonly string[], { ensemble, columns, labels }: ParsedModel): void {
  const { outputCount } = ensemble;
  if (classes.length !== outputCount)
    throw refusal(
      `it names ${classes.length} classes and the model has ${outputCount} output${outputCount === 1 ? '' : 's'}`,
      outputCount === 1 ? 'leave out "classes": the output is the risk' : 'name one class per output, in order',
    );
  // Labels may be numbers where the manifest has names. The same names in another order are a mistake.
  const misplaced = labels?.some((label, place) => classes.includes(label) && classes[place] !== label);
  if (misplaced)
    throw refusal('its classes are in another order than those of the model', `write ${labels!.join(', ')}`);
  const links = classes.map((_, output) => columnOfOutput(columns, output)?.link);
  const unfit = links.find((link) => link !== links[0] || (link !== 'IDENTITY' && link !== 'SOFTMAX'));
  if (unfit !== undefined || links[0] === undefined)
    throw refusal(
      `the model's ${unfit ?? 'output'} does not make probabilities of these classes that add up to 1`,
      'leave out "classes" and serve each class as a model of its own, by outputIndex',
    );
}

function requireQuantity({ outputSpace, outputIndex }: RiskModelManifest, parsed: ParsedModel): void {
  const { link } = columnOfOutput(parsed.columns, outputIndex)!;
  if (parsed.labels)
    throw refusal('it gives a quantity, but the model is a classifier', 'leave out "quantity", or export a regressor');
  const own = spaceOfLink[link];
  if (link !== 'IDENTITY' && own !== outputSpace)
    throw refusal(
      `outputSpace is ${outputSpace}, but the trees add up before the model's ${link}`,
      own ? `write ${own}` : 'export the model without it',
    );
  if (outputSpace !== 'LOG') return;
  const { high } = boundsOf(parsed.ensemble, outputIndex);
  if (high > largestLogarithm)
    throw refusal(
      `outputSpace is LOG, but the trees can add up to ${shown(high)}, whose exponential is beyond float32`,
      'write IDENTITY when the trees add up to the quantity itself',
    );
}

const refusal = (reason: string, remedy: string): InvalidModelError =>
  new InvalidModelError('manifest.json', reason, remedy);

const shown = (value: number): string => String(Number(value.toPrecision(3)));

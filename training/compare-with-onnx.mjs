// Compares scikit-learn's raw outputs (training/predict.py) with ONNX Runtime's on the shipped model.onnx.
//
//   node training/compare-with-onnx.mjs COHORT.csv PROBABILITIES.csv
//
// Missing values are imputed, and raw outputs calibrated, with the values of manifest.json. So the manifest is checked
// too.
// Prints the largest differences; exits 1 when one is above 1e-6.
import { readFileSync } from 'node:fs';
import { URL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const TOLERANCE = 1e-6;
const bundle = new URL('../risk-models/heart-disease/', import.meta.url);

const [cohortFile, probabilitiesFile] = process.argv.slice(2);
if (!cohortFile || !probabilitiesFile) {
  console.error('usage: node training/compare-with-onnx.mjs COHORT.csv PROBABILITIES.csv');
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(new URL('manifest.json', bundle), 'utf8'));
const cohort = readCsv(cohortFile);
const expected = readCsv(probabilitiesFile);
if (cohort.length !== expected.length)
  throw new Error(`${cohort.length} patients, but ${expected.length} probabilities`);

const inputs = Float32Array.from(
  cohort.flatMap((patient) => manifest.features.map((feature) => encode(feature, patient))),
);
const session = await InferenceSession.create(readFileSync(new URL('model.onnx', bundle)));
const { probabilities } = await session.run({
  X: new Tensor('float32', inputs, [cohort.length, manifest.features.length]),
});

let rawDifference = 0;
let probabilityDifference = 0;
let otherBands = 0;
expected.forEach((row, index) => {
  const raw = probabilities.data[2 * index + 1];
  const { slope, intercept } = manifest.calibration;
  const probability = 1 / (1 + Math.exp(-(slope * raw + intercept)));
  rawDifference = Math.max(rawDifference, Math.abs(raw - Number(row.raw)));
  probabilityDifference = Math.max(probabilityDifference, Math.abs(probability - Number(row.probability)));
  const band = manifest.riskBands.findLast((candidate) => candidate.from <= probability).band;
  if (row.mrn !== cohort[index].mrn || band !== row.band) otherBands += 1;
});
console.log(
  `${cohort.length} patients: raw output differs by at most ${rawDifference.toExponential(1)}, ` +
    `probability by ${probabilityDifference.toExponential(1)}, ${otherBands} in another band`,
);
process.exitCode = Math.max(rawDifference, probabilityDifference) > TOLERANCE || otherBands > 0 ? 1 : 0;

function encode(feature, patient) {
  const cell = patient[feature.code];
  if (cell !== '') return Number(cell);
  if (feature.missing.policy !== 'IMPUTE') throw new Error(`${feature.code}: required, but empty`);
  return feature.missing.value;
}

/** Reads rows by column name. The files have no quoted cells. */
function readCsv(file) {
  const [header, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(','));
  return lines.map((cells) => Object.fromEntries(header.map((name, column) => [name, cells[column]])));
}

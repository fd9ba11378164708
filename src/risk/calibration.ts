import type { RiskModelManifest } from './manifest.js';
import type { Calibration, RiskBand } from './output-schema.js';
import { logistic } from './scores.js';

/**
 * Returns the calibrated probability of a raw output, within [0, 1].
 * @param uncalibrated the probability that the model itself gives (its score), for method NONE
 */
export function calibrate(calibration: Calibration, raw: number, uncalibrated: number): number {
  switch (calibration.method) {
    case 'NONE':
      return clamp(uncalibrated);
    case 'LOGISTIC':
      return logistic(calibration.slope * raw + calibration.intercept);
    case 'PIECEWISE_LINEAR':
      return clamp(interpolate(calibration.points, raw));
  }
}

/** Says why a calibration is not a monotone map into [0, 1]; undefined when it is one. */
export function calibrationIssue(calibration: Calibration): string | undefined {
  if (calibration.method !== 'PIECEWISE_LINEAR') return undefined;
  for (const [index, [raw, probability]] of calibration.points.entries()) {
    const before = calibration.points[index - 1];
    if (probability < 0 || probability > 1) return `point ${index + 1} has a probability outside 0 to 1`;
    if (before && (raw < before[0] || probability < before[1]))
      return `point ${index + 1} falls below the one before it`;
  }
  return undefined;
}

/** Returns the last band that does not start above the probability or quantity, or else the first. */
export function riskBandOf(bands: RiskModelManifest['riskBands'], answer: number): RiskBand {
  return bands.findLast((band) => band.from <= answer)?.band ?? bands[0]!.band;
}

function interpolate(points: readonly (readonly [number, number])[], raw: number): number {
  const upper = points.findIndex(([x]) => x > raw);
  if (upper === 0) return points[0]![1];
  if (upper < 0) return points.at(-1)![1];
  const [x0, y0] = points[upper - 1]!;
  const [x1, y1] = points[upper]!;
  return y0 + ((raw - x0) / (x1 - x0)) * (y1 - y0);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

import { describe, expect, test } from 'vitest';
import { ucumIssue } from '../../../src/risk/check/ucum.js';

describe('ucumIssue', () => {
  test.each([
    'mm[Hg]',
    'mg/dL',
    'mmol/L',
    'a',
    '/min',
    '1',
    '%',
    'kg/m2',
    'umol/L',
    '10*9/L',
    '10*3/uL',
    'g/L',
    '[iU]/L',
    'm[IU]/L',
    'ng/mL',
    'Cel',
    '{beats}/min',
    'mL/min/{1.73_m2}',
    '[degF]',
    'kPa',
    'mm',
    'mV',
    'pg/mL',
    'meq/L',
    'U/L',
    'h',
    'd',
    'wk',
    'mo',
    'cm[H2O]',
    'L/min',
    'ms',
    'mosm/kg',
    '{score}',
  ])('%s is UCUM', (unit) => {
    expect(ucumIssue(unit)).toBeUndefined();
  });

  test.each(['mmHg', 'mm Hg', 'years', 'beats/min', 'bpm', 'mg//dL', '°C', 'Mg/dl/', 'IU/L', 'µmol/L', 'per min'])(
    '%s is not',
    (unit) => {
      expect(ucumIssue(unit)).toBeDefined();
    },
  );
});

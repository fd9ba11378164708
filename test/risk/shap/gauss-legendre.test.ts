import { expect, test } from 'vitest';
import { gaussLegendre } from '../../../src/risk/shap/gauss-legendre.js';

test.each([1, 2, 3, 4, 8, 16, 40])(
  'Gauss-Legendre with %i nodes integrates polynomials of degree 2n - 1 exactly',
  (count) => {
    const { nodes, weights } = gaussLegendre(count);
    for (let degree = 0; degree < 2 * count; degree++) {
      const integral = nodes.reduce((sum, t, index) => sum + weights[index]! * t ** degree, 0);
      expect(Math.abs(integral - 1 / (degree + 1))).toBeLessThan(1e-14);
    }
  },
);

/** Nodes in (0, 1) and weights of a quadrature rule. */
interface QuadratureRule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Computes the Gauss-Legendre rule with `count` nodes on [0, 1], exact for polynomials of degree 2 x count - 1.
 * Nodes are the roots of the Legendre polynomial, found by Newton's method from the usual cosine estimate
 * (Press et al., Numerical Recipes, section 4.6).
 */
export function gaussLegendre(count: number): QuadratureRule {
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let root = Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, derivative] = legendre(count, root);
      slope = derivative;
      const change = value / derivative;
      root -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    nodes[index] = (1 - root) / 2;
    weights[index] = 1 / ((1 - root * root) * slope * slope);
  }
  return { nodes, weights };
}

/** Computes value and derivative of the Legendre polynomial, by the three-term recurrence. */
function legendre(degree: number, at: number): [number, number] {
  let before = 1;
  let value = at;
  for (let order = 2; order <= degree; order++)
    [before, value] = [value, ((2 * order - 1) * at * value - (order - 1) * before) / order];
  return [value, (degree * (at * value - before)) / (at * at - 1)];
}

/** UCUM units of clinical features: atoms that take a metric prefix, and atoms that do not. https://ucum.org/ucum */
const metric = new Set(
  (
    'm s g rad K C cd mol A V W Hz N Pa J F Ohm S Wb T H lm lx Bq Gy Sv sr L l Cel eq osm kat bar u eV pc cal U t [iU] ' +
    '[IU] m[H2O] m[Hg] B[SPL] B bit By'
  ).split(' '),
);
const plain = new Set(
  (
    "10* 10^ % [ppth] [ppm] [ppb] [pptr] deg ' '' gon min h d wk mo a mo_s mo_j a_t a_j a_g [pH] [in_i] [ft_i] [yd_i] " +
    "[mi_i] [lb_av] [oz_av] [degF] [arb'U] [Ch] [diop] {score}"
  ).split(' '),
);
const prefixes = ['da', ...'YZEPTGMkhdcmunpfazy'];

/**
 * Says why a unit is not written in UCUM (the common, case-sensitive form); undefined when it is.
 * Bracketed and annotated atoms are accepted unchecked: their list is long and grows.
 */
export function ucumIssue(unit: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(unit)) return 'has a blank or a character that UCUM does not have';
  // An annotation alone stands for 1.
  const terms = unit
    .replace(/(^|[./(])\{[^{}]*\}/g, (_, before: string) => `${before}1`)
    .replace(/\{[^{}]*\}/g, '')
    .replace(/^\//, '')
    .replace(/[()]/g, '')
    .split(/[./]/);
  const wrong = terms.find((term) => !isTerm(term));
  return wrong === undefined ? undefined : `has "${wrong}", which is not a UCUM unit`;
}

function isTerm(term: string): boolean {
  if (/^\d+$/.test(term)) return true;
  if (term === '') return false;
  const atom = term.startsWith('10*') || term.startsWith('10^') ? term.slice(0, 3) : term.replace(/[+-]?\d+$/, '');
  if (metric.has(atom) || plain.has(atom) || /^\[[^[\]]+\]$/.test(atom)) return true;
  return prefixes.some(
    (prefix) =>
      atom.startsWith(prefix) &&
      (metric.has(atom.slice(prefix.length)) || /^\[[^[\]]+\]$/.test(atom.slice(prefix.length))),
  );
}

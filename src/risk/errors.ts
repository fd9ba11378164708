/**
 * A model file or bundle that cannot be served. The message is one line: the thing, the reason, the remedy.
 * It speaks of the model only, never of patients, so it may be logged and shown.
 */
export class InvalidModelError extends Error {
  override readonly name: string = 'InvalidModelError';
  constructor(
    readonly thing: string,
    readonly reason: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(`${thing}: ${reason}; ${remedy}`), options);
  }
}

/** The model is valid and can be scored, but not explained in the way asked for. */
export class UnexplainableModelError extends InvalidModelError {
  override readonly name = 'UnexplainableModelError';
}

/** ONNX Runtime and the parsed trees, or a sum of SHAP values and its output, differ by more than the tolerance. */
export class DisagreementError extends Error {
  override readonly name = 'DisagreementError';
}

/** Names come from files that may be hostile: no line breaks or control characters reach a terminal or a log. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is being removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

/** A name from a file, quoted, cleaned and cut to a length that fits one line. */
export function quoted(name: string): string {
  const clean = oneLine(name);
  return `"${clean.length > 60 ? `${clean.slice(0, 57)}...` : clean}"`;
}

/**
 * Says that a model file or bundle cannot be served. The message is one line: the thing, the reason, the remedy.
 * It is about the model only, never about patients, so it may be logged and shown.
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

/** Says that a valid model can be scored, but not explained by the requested method. */
export class UnexplainableModelError extends InvalidModelError {
  override readonly name = 'UnexplainableModelError';
}

/**
 * Says that two results differ by more than the tolerance: ONNX Runtime's and the trees', or a SHAP sum and its output.
 */
export class DisagreementError extends Error {
  override readonly name = 'DisagreementError';
}

/** Removes line breaks and control characters from a name. Files may be hostile; names go to terminals and logs. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are removed here
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

/** Quotes a name from a file. It is cleaned and cut to a length that fits one line. */
export function quoted(name: string): string {
  const clean = oneLine(name);
  return `"${clean.length > 60 ? `${clean.slice(0, 57)}...` : clean}"`;
}

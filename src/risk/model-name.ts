/** A model, and the version of it if one is named. */
interface NamedModel {
  readonly modelId: string;
  readonly modelVersion?: string;
}

/** The name of one version of a model, as callers, operators and messages use it: `heart-disease@1.0.0`. */
export const versionName = (id: string, version: string): string => `${id}@${version}`;

/**
 * Reads a model's id as a caller gives it: alone, or as the name of one version. Neither part may contain an `@`, so
 * the name of a version is never the id of another model.
 */
export function parseModelId(text: string): NamedModel {
  const at = text.indexOf('@');
  return at < 0 ? { modelId: text } : { modelId: text.slice(0, at), modelVersion: text.slice(at + 1) };
}

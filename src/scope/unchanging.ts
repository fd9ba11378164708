/**
 * The property under which an object of the API names what it was made of, for the fields that depend on nothing else.
 * Two objects that name the same have the same values in all fields that the schema calls unchanging (schema/unchanging-fields.ts).
 * Absent: nothing is known about them.
 */
export const unchanging = Symbol('unchanging');

/** An object of the API that may name what it was made of. */
export interface Unchanging {
  readonly [unchanging]?: object | undefined;
}

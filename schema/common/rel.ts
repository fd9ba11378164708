/**
 * The type of a property whose class imports ours: emitted decorator metadata would otherwise use that class while
 * its module is still loading.
 */
export type Rel<T> = T;

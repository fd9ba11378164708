/**
 * The type of a property whose class imports this module too. It keeps the class out of the decorator metadata, which
 * would otherwise use the class while its module is still loading.
 */
export type Rel<T> = T;

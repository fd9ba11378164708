import type { GraphQLError, GraphQLResolveInfo } from 'graphql';

/** A place in an answer. */
export type Path = GraphQLResolveInfo['path'];

/**
 * Collects the errors of one answer as graphql-js does: once a place of the answer is null because of an error, further
 * errors there or below are not told.
 */
export class FieldErrors {
  private readonly nulled = new Set<Path | undefined>();
  readonly list: GraphQLError[] = [];

  /** @param path the place that becomes null. Undefined: the whole answer */
  add(error: GraphQLError, path: Path | undefined): void {
    for (let place = path; place !== undefined; place = place.prev) if (this.nulled.has(place)) return;
    if (this.nulled.has(undefined)) return;
    this.nulled.add(path);
    this.list.push(error);
  }
}

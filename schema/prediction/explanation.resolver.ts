import { Arg, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { BadUserInputError } from '../../src/errors.js';
import { Contribution, Explanation } from './prediction.type.js';

@Resolver(() => Explanation)
export class ExplanationResolver {
  @FieldResolver(() => [Contribution], { description: 'Sorted by |value|, largest first.' })
  contributions(
    @Root() { source }: Explanation,
    @Arg('top', () => Int, { nullable: true, description: 'Only so many, the largest. Absent: all.' })
    top: number | null,
  ): Contribution[] {
    if (top != null && top < 1) throw new BadUserInputError([{ path: 'top', message: 'must be at least 1' }]);
    return source.sorted.slice(0, top ?? undefined);
  }

  @FieldResolver(() => String, { description: 'The explanation as a self-contained, accessible SVG.', complexity: 600 })
  waterfall(@Root() { source }: Explanation): string {
    return source.waterfall();
  }
}

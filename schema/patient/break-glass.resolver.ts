import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { BreakGlassService } from '../../src/patients/break-glass.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { BreakGlassInput } from './patient.input.js';
import { toBreakGlassAccess } from './patient.mapper.js';
import { BreakGlassAccessConnection, BreakGlassAccessType } from './patient.type.js';

@Resolver()
export class BreakGlassResolver {
  constructor(private readonly service: BreakGlassService) {}

  @Mutation(() => BreakGlassAccessType, {
    description:
      'Opens a patient outside of your care team, for a while. It is on record, flagged, with everything that you see and do there.',
  })
  async breakGlass(
    @Arg('input', () => BreakGlassInput) input: BreakGlassInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<BreakGlassAccessType> {
    return toBreakGlassAccess(await this.service.grant(viewer, input));
  }

  @Query(() => BreakGlassAccessConnection, {
    description: 'Who opened patients outside of their care team, and why. Newest first.',
  })
  async breakGlassAccesses(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<InstanceType<typeof BreakGlassAccessConnection>> {
    return toConnection(await this.service.list(viewer, page), toBreakGlassAccess);
  }
}

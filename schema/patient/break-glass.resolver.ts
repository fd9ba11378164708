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
      'Makes a patient outside of your care team visible to you for a limited time. ' +
      'The audit trail records and flags this access and all that you do under it.',
  })
  async breakGlass(
    @Arg('input', () => BreakGlassInput, { description: 'The patient, and the reason.' }) input: BreakGlassInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<BreakGlassAccessType> {
    return toBreakGlassAccess(await this.service.grant(viewer, input));
  }

  @Query(() => BreakGlassAccessConnection, {
    nullable: true,
    description:
      'The break-glass accesses of the organization, with their reasons. Newest first. ' +
      'Null, with an error, for other roles than ADMIN.',
  })
  async breakGlassAccesses(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<InstanceType<typeof BreakGlassAccessConnection>> {
    return toConnection(await this.service.list(viewer, page), toBreakGlassAccess);
  }
}

import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CareTeamService } from '../../src/patients/care-team-service.js';
import type { OperationContext } from '../common/context.js';
import { AssignCareTeamInput } from './patient.input.js';
import { AssignCareTeamPayload } from './patient.type.js';

@Resolver()
export class CareTeamResolver {
  constructor(private readonly service: CareTeamService) {}

  @Mutation(() => AssignCareTeamPayload, {
    description:
      'Hands a patient over to another care team, or to every clinician. The caller sees nothing of the patient. The ' +
      'audit trail flags it.',
  })
  async assignCareTeam(
    @Arg('input', () => AssignCareTeamInput, { description: 'The patient and its new care team.' })
    input: AssignCareTeamInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<AssignCareTeamPayload> {
    await this.service.assign(viewer, input);
    return { patientId: input.patientId };
  }
}

import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { BadUserInputError, ConflictError } from '../../src/errors.js';
import type { UpsertPatients, UpsertResult } from '../../src/patients/upsert-patients.js';
import type { Viewer } from '../../src/auth/viewer.js';
import type { OperationContext } from '../common/context.js';
import type { PatientMapper } from './patient.mapper.js';
import { UpsertOutcome, UpsertPatientInput, UpsertPatientResult } from './upsert-patients.type.js';

/** Cost of one patient of the call: its check, its encryption and its part of the bulk. */
const upsertCost = 150;

@Resolver()
export class UpsertPatientsResolver {
  constructor(
    private readonly upsert: UpsertPatients,
    private readonly toPatient: PatientMapper,
  ) {}

  @Mutation(() => [UpsertPatientResult], {
    complexity: upsertCost,
    description:
      'Creates and changes up to 1,000 patients at once. The MRN names the patient. There is one result per input, in ' +
      'the same order; a refused input does not stop the others. A call may be repeated: it changes nothing twice.',
  })
  async upsertPatients(
    @Arg('inputs', () => [UpsertPatientInput], { description: 'From 1 to 1,000 patients, each MRN once.' })
    inputs: UpsertPatientInput[],
    @Ctx() { viewer }: OperationContext,
  ): Promise<UpsertPatientResult[]> {
    const results = await this.upsert(viewer, inputs);
    return results.map((result, index) => toResult(result, index, this.toPatient, viewer));
  }
}

function toResult(
  result: UpsertResult,
  index: number,
  toPatient: PatientMapper,
  viewer: Viewer | null,
): UpsertPatientResult {
  const outcome = UpsertOutcome[result.outcome];
  if ('patient' in result) return { outcome, patient: toPatient(result.patient, viewer), error: null };
  const { error } = result;
  const fields =
    error instanceof BadUserInputError || error instanceof ConflictError
      ? error.fields.map(({ path, message }) => ({ path: `inputs[${index}].${path}`, message }))
      : [];
  const message = error instanceof BadUserInputError ? new BadUserInputError(fields).message : error.message;
  return { outcome, patient: null, error: { code: error.code, message, fields } };
}

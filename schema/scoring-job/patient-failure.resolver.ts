import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { OperationContext } from '../common/context.js';
import type { PatientMapper } from '../patient/patient.mapper.js';
import { PatientType } from '../patient/patient.type.js';
import { PatientFailureType } from './scoring-job.type.js';

/** Reads the patients of failures. Their field rules and their care teams are those of every other patient. */
@Resolver(() => PatientFailureType)
export class PatientFailureResolver {
  constructor(private readonly toPatient: PatientMapper) {}

  @FieldResolver(() => PatientType, {
    nullable: true,
    description: 'Null after the patient was deleted, and for a patient that the caller may not see.',
    complexity: 65,
  })
  async patient(
    @Root() { patientId }: PatientFailureType,
    @Ctx() { loaders, viewer }: OperationContext,
  ): Promise<PatientType | null> {
    const patient = await loaders.patient.load(patientId);
    return patient ? this.toPatient(patient, viewer) : null;
  }
}

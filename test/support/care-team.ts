import { Types } from 'mongoose';
import { Role, ScoringJobState, type AuditEvent } from '../../models/index.js';
import { apiClient } from '../../src/commands/api-client.js';
import { scored } from './scenario.js';
import type { Answer, System } from './system.js';

export interface ScoredPatient {
  readonly id: string;
  readonly mrn: string;
  readonly jobId: string;
  readonly predictionId: string;
}

/** Clinicians of organization alpha, their patients, and the audit events of both. */
export function careTeams(system: System) {
  const { accessTokens, models } = system.app;
  return {
    /** Stores a clinician by name. @returns a token of the clinician */
    async clinician(username: string): Promise<string> {
      const organizationId = await system.organizationId();
      await models.users.updateOne(
        { organization: organizationId, username },
        { $setOnInsert: { role: Role.CLINICIAN, createdAt: new Date() } },
        { upsert: true },
      );
      return accessTokens.sign({ username, role: Role.CLINICIAN, organizationId }, 3600);
    },

    /** Creates a patient of this care team and scores it once. */
    async patientOf(careTeam: string[] | null, token: string): Promise<ScoredPatient> {
      const client = apiClient(system.url, token);
      try {
        const { patientId: id, ...rest } = await scored(client, { givenName: 'Canary', careTeam });
        return { id, ...rest };
      } finally {
        await client.close();
      }
    },

    /** @param by how the patient is named, e.g. `mrn: "A-1"` */
    breakGlass: (by: string, token: string, reason = 'Unconscious in the emergency room'): Promise<Answer> =>
      system.post(
        /* GraphQL */ `
          mutation ($reason: String!) {
            breakGlass(input: { ${by}, reason: $reason }) { id patientId username expiresAt }
          }
        `,
        { reason },
        token,
      ),

    /** Ends the access that was given to the first clinician who broke the glass of this patient. */
    async endBreakGlass(patientId: string): Promise<void> {
      await models.patients.collection.updateOne(
        { _id: new Types.ObjectId(patientId) },
        { $set: { 'breakGlass.0.expiresAt': new Date() } },
      );
    },

    /** Makes a job one that failed because of a value of its patient. */
    async failJob(jobId: string, reason: string): Promise<void> {
      const error = { code: 'BAD_USER_INPUT', message: reason };
      await models.scoringJobs.updateOne(
        { _id: jobId },
        { $set: { 'status.state': ScoringJobState.FAILED, 'status.error': error } },
      );
    },

    eventsOf: (patientId: string, username: string): Promise<AuditEvent[]> =>
      models.auditEvents
        .find({ patients: new Types.ObjectId(patientId), username })
        .sort({ sequence: 1 })
        .lean<AuditEvent[]>(),
  };
}

import { CreatePatientDocument, PatientDocument, UpdatePatientDocument } from '../client/generated/graphql.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import type { CohortRow } from '../patients/cohort-csv.js';
import { startProgressBar } from './progress-bar.js';

const requestsAtOnce = 16;

/**
 * Brings the patients of a cohort up to date: creates new patients, and sets the features of existing ones.
 * @returns MRN by patient id, in the order of the rows
 */
export async function storeCohort(client: GraphqlClient, rows: readonly CohortRow[]): Promise<Map<string, string>> {
  const bar = startProgressBar('patients', rows.length);
  const ids: string[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < rows.length) {
      const index = next++;
      ids[index] = await storePatient(client, rows[index]!);
      bar.update((done += 1));
    }
  };
  try {
    await Promise.all(Array.from({ length: requestsAtOnce }, worker));
  } finally {
    bar.stop();
  }
  return new Map(ids.map((id, index) => [id, rows[index]!.mrn]));
}

async function storePatient(client: GraphqlClient, { mrn, features }: CohortRow): Promise<string> {
  const values = features.map(({ code, value }) => ({ code, value }));
  const { patient } = await client.request(PatientDocument, { mrn });
  if (!patient)
    return (await client.request(CreatePatientDocument, { input: { mrn, features: values } })).createPatient.id;
  const present = new Map(patient.features.map(({ code, value }) => [code, value]));
  const unchanged = values.every(({ code, value }) => (present.get(code) ?? null) === value);
  if (!unchanged)
    await client.request(UpdatePatientDocument, {
      input: { id: patient.id, expectedVersion: patient.version, features: values },
    });
  return patient.id;
}

import 'reflect-metadata';
import { Types } from 'mongoose';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/process/logger.js';
import { modelInputs, type ModelSubject } from '../../src/patients/model-inputs.js';

// The floor of the comparison, in its own process. It encodes, scores and explains patients in a loop. They are
// decrypted and in memory before the clock starts. Each message asks for one round.
const app = await createApp(loadConfig(process.env), createLogger('error', 'bench'));
const [organization, count] = process.argv.slice(2) as [string, string];
const found = await app.models.patients.find({}, { _id: 1 }).limit(Number(count)).lean();
const patients: ModelSubject[] = [];
for (let start = 0; start < found.length; start += 1_000) {
  const opened = await Promise.all(
    found
      .slice(start, start + 1_000)
      .map(({ _id }) => app.scoringRecords.patient(new Types.ObjectId(organization), _id)),
  );
  // Decrypts them now: decrypting is not part of the engine.
  patients.push(
    ...opened.flatMap((patient) =>
      patient ? [{ birthDate: patient.birthDate, sex: patient.sex, features: patient.features }] : [],
    ),
  );
}
const model = app.registry.find('heart-disease')!;
/** Rows per call. With more it gets slower: their objects outlive the young generation of the heap. */
const chunk = 1_000;

async function round(): Promise<number> {
  const now = new Date();
  const start = performance.now();
  for (let first = 0; first < patients.length; first += chunk) {
    const rows = patients
      .slice(first, first + chunk)
      .map((patient) => model.encode(modelInputs(model.manifest, patient, now)));
    await model.score(rows);
    await model.explain(rows);
  }
  return patients.length / ((performance.now() - start) / 1000);
}

process.on('message', () => void round().then((rate) => process.send?.({ rate })));
process.send?.({ ready: patients.length });

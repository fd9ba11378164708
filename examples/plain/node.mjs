// Scores a patient from Node.js: node examples/plain/node.mjs URL TOKEN MRN
import { createClient, PatientDocument, submit } from 'riskgraph/client';

const [url, token, mrn] = process.argv.slice(2);
const client = createClient({
  url,
  token,
  onBreak: (error, waitMs) => console.error(`${error.message} Trying again in ${Math.round(waitMs)} ms.`),
});

const { patient } = await client.request(PatientDocument, { mrn });
const scoring = submit(client, { patientId: patient.id, modelId: 'heart-disease' });
for await (const { sequence, job } of scoring.progress)
  console.log(`change ${sequence}: ${job.state} ${job.progress.stage}`);
const { prediction } = await scoring.result;
console.log(`risk ${prediction.probability.toFixed(3)}, band ${prediction.riskBand}`);
await client.close();

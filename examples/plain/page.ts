// A page without a framework.
import { createClient, PatientDocument, submit } from 'riskgraph/client';

const { url, token, mrn } = Object.fromEntries(new URLSearchParams(location.search)) as Record<string, string>;
const root = document.getElementById('root')!;
const show = (text: string): void => root.append(Object.assign(document.createElement('p'), { textContent: text }));

const client = createClient({ url: url!, token, onBreak: () => show('connection lost') });
const { patient } = await client.request(PatientDocument, { mrn });
const scoring = submit(client, { patientId: patient!.id, modelId: 'heart-disease' });
for await (const { job } of scoring.progress) show(`${job.state} ${job.progress.stage}`);
const { prediction } = await scoring.result;
show(`risk ${prediction!.probability!.toFixed(3)}, band ${prediction!.riskBand}`);
await client.close();

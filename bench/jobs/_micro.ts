import { patientIds, startBenchSystem } from './setup.js';
const s = await startBenchSystem(50);
const { app, viewer } = s;
const patients = await app.models.patients.find({}).lean<any[]>();
const t = async (name: string, n: number, f: (i: number) => Promise<unknown>) => { for (let i=0;i<20;i++) await f(i); const a = performance.now(); for (let i=0;i<n;i++) await f(i); console.log(name, ((performance.now()-a)/n).toFixed(3),'ms'); };
const job = {_id: 1};
for (let k=0;k<2;k++) {
await t('ping', 300, async () => app.connection.db!.command({ping:1}));
await t('raw find patient', 300, async (i) => app.models.patients.collection.findOne({_id: patients[i%50]._id}));
await t('mongoose find patient', 300, async (i) => app.models.patients.findOne({_id: patients[i%50]._id}).lean());
await t('insert raw j majority', 300, async (i) => app.connection.collection('x').insertOne({i}, { writeConcern: { w: 'majority', journal: true } }));
await t('insert raw j w1', 300, async (i) => app.connection.collection('x').insertOne({i}, { writeConcern: { w: 1, journal: true } }));
await t('insert raw w1', 300, async (i) => app.connection.collection('x').insertOne({i}, { writeConcern: { w: 1, journal:false } }));
await t('redis ping', 300, async (i) => (app as any).events && 1);
const a = performance.now(); await Promise.all(Array.from({length: 2000}, (_, i) => app.connection.collection('x').insertOne({i}, { writeConcern: { w: 1, journal: true } }))); console.log('2000 parallel inserts j', (performance.now()-a).toFixed(0));
}
await s.close(); process.exit(0);

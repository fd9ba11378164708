import { expect, onTestFinished, test, vi } from 'vitest';
import { runDemonstration } from '../../src/commands/demonstration.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();

test('the demonstration ends with the console, the Sandbox, a working token, and how to sign in with your own user', async () => {
  let said = '';
  const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  for (const spy of spies) spy.mockImplementation((chunk) => ((said += String(chunk)), true));
  await runDemonstration(system.app.config, system.url);
  spies.forEach((spy) => spy.mockRestore());

  expect(said).toContain(`Console:         ${system.url}/\n`);
  expect(said).toContain(`Apollo Sandbox:  ${system.url}/graphql`);
  const token = /^Bearer (\S+)$/m.exec(said)![1]!;
  expect((await system.post('{ viewer { role } }', undefined, token)).data).toEqual({ viewer: { role: 'CLINICIAN' } });
  expect(said).toContain('npx riskgraph user create --org demo --username NAME --role CLINICIAN');
});

import { describe, expect, test } from 'vitest';
import { RiskModelsDocument } from '../../src/client/generated/graphql.js';
import { heartDisease, modelId } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

describe('risk models', () => {
  test('are listed as their manifests describe them', async () => {
    const { riskModels } = await client.request(RiskModelsDocument);
    expect(riskModels).toHaveLength(1);
    const [model] = riskModels;
    expect(model).toMatchObject({
      id: `${modelId}@${heartDisease.version}`,
      modelId,
      version: heartDisease.version,
      isDefault: true,
      retiredAt: null,
      sha256: heartDisease.model.sha256,
      name: heartDisease.name,
      outcome: heartDisease.outcome,
      outputSpace: 'PROBABILITY',
    });
    expect(model!.shapMethods).toContain('PATH_DEPENDENT');
    expect(model!.riskBands).toEqual(heartDisease.riskBands);
    expect(model!.features.map(({ code, unit, kind, range, codes }) => ({ code, unit, kind, range, codes }))).toEqual(
      heartDisease.features.map(({ code, unit, kind, range, codes }) => ({
        code,
        unit,
        kind,
        range: range ?? null,
        codes: codes ?? null,
      })),
    );
  });

  test('are read by id, the default version or the one named', async () => {
    const fields = `
      id modelId version isWorklistModel card intendedUse importancePlot
      metrics { name value method confidenceInterval }
      training { patients events algorithm sites { name patients events } }
      globalImportance { feature { code } value }
    `;
    const { data, errors } = await system.post<
      Record<string, { card: string; globalImportance: { value: number }[]; importancePlot: string; training: object }>
    >(
      /* GraphQL */ `
        {
          highest: riskModel(id: "${modelId}") {
            ${fields}
          }
          named: riskModel(id: "${modelId}", version: "${heartDisease.version}") {
            ${fields}
          }
          byName: riskModel(id: "${modelId}@${heartDisease.version}") {
            ${fields}
          }
          twoVersions: riskModel(id: "${modelId}@${heartDisease.version}", version: "0.0.1") {
            id
          }
        }
      `,
      undefined,
      token,
    );
    expect(errors).toBeUndefined();
    expect(data!.named).toEqual(data!.highest);
    expect(data!.byName).toEqual(data!.highest);
    expect(data!.twoVersions).toBeNull();
    expect(data!.highest).toMatchObject({
      isWorklistModel: true,
      id: `${modelId}@${heartDisease.version}`,
      modelId,
      version: heartDisease.version,
      training: { patients: heartDisease.training.patients, events: heartDisease.training.events },
    });
    expect(data!.highest!.card).toMatch(/^#/);
    const importance = data!.highest!.globalImportance.map(({ value }) => value);
    expect(importance).toEqual([...importance].sort((a, b) => b - a));
    expect(data!.highest!.importancePlot).toMatch(/^<svg/);
  });
});

test('viewer shows the caller, the permissions, and the expiry of the credential', async () => {
  const { data } = await system.post<{ viewer: { expiresAt: string; permissions: string[] } }>(
    '{ viewer { username role permissions expiresAt organization { slug name id } } }',
    undefined,
    await system.token('ANALYST', 'alpha', 600),
  );
  expect(data!.viewer).toMatchObject({
    username: 'the-analyst',
    role: 'ANALYST',
    organization: { slug: 'alpha', id: await system.organizationId('alpha') },
  });
  expect(data!.viewer.permissions).toContain('prediction:read');
  expect(data!.viewer.permissions).not.toContain('patient:read-identity');
  const remaining = new Date(data!.viewer.expiresAt).getTime() - Date.now();
  expect(remaining).toBeGreaterThan(0);
  expect(remaining).toBeLessThanOrEqual(600_000);
});

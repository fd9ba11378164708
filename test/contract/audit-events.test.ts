import { beforeAll, describe, expect, test } from 'vitest';
import { startAuditedSystem } from '../support/audited-system.js';
import { pages } from '../support/scenario.js';
import { type Answer } from '../support/system.js';

const { system, token, organization, known } = await startAuditedSystem();
const { models } = system.app;

beforeAll(async () => {
  for (let read = 0; read < 7; read += 1)
    await system.post(`{ patient(id: "${known.patientId}") { givenName } }`, undefined, token);
});

describe('auditEvents', () => {
  // Shows: 164.312(b)
  test('shows ADMIN the audit trail page by page, and records each reading', async () => {
    const admin = await system.token('ADMIN');
    const query = /* GraphQL */ `
      query ($after: String) {
        auditEvents(first: 5, after: $after, filter: { actions: ["patient:read"] }) {
          totalCount
          edges {
            node {
              sequence
              action
              username
              patientIds
              outcome
            }
          }
          pageInfo {
            endCursor
            hasNextPage
          }
        }
      }
    `;
    type Page = {
      auditEvents: {
        totalCount: number;
        edges: { node: { sequence: number; action: string } }[];
        pageInfo: { endCursor: string; hasNextPage: boolean };
      };
    };
    const seen: number[] = [];
    let total = 0;
    for await (const page of pages(async (after) => {
      const { data, errors }: Answer<Page> = await system.post<Page>(query, { after }, admin);
      expect(errors).toBeUndefined();
      return data!.auditEvents;
    })) {
      seen.push(...page.edges.map(({ node }) => node.sequence));
      total = page.totalCount;
    }
    expect(total).toBeGreaterThan(5);
    expect(seen).toHaveLength(total);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    expect(await models.auditEvents.countDocuments({ organization, action: 'audit:read' })).toBeGreaterThan(0);
  });

  test('finds by patient, and shows nothing of another organization', async () => {
    const filter = `{ auditEvents(filter: { patientId: "${known.patientId}" }) { totalCount } }`;
    const { data } = await system.post<{ auditEvents: { totalCount: number } }>(
      filter,
      undefined,
      await system.token('ADMIN'),
    );
    expect(data!.auditEvents.totalCount).toBeGreaterThan(0);
    expect((await system.post(filter, undefined, await system.token('ADMIN', 'beta'))).data).toEqual({
      auditEvents: { totalCount: 0 },
    });
  });
});

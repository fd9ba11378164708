import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

import { loadConfig } from '../../src/config/config.js';
import { fileVariable, secretSettings } from '../../src/config/secret-files.js';
import { settings } from '../../src/config/settings.js';
import { withSettingNames } from '../../scripts/settings-documents.js';
import { consoleAddresses } from '../../src/http/console-pages.js';
import { secondsToEnd } from '../support/compose.js';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly [string, string] } } };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly securityContext: object;
        readonly terminationGracePeriodSeconds: number;
        readonly automountServiceAccountToken: boolean;
        readonly volumes: readonly {
          readonly name: string;
          readonly secret?: { readonly secretName: string };
          readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly: boolean };
        }[];
      };
    };
    readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly policyTypes: readonly string[];
    readonly maxUnavailable: number;
    readonly egress: readonly {
      readonly ports: readonly { readonly port: number }[];
      readonly to?: readonly object[];
    }[];
    readonly rules: readonly {
      readonly http: { readonly paths: readonly { readonly path: string; readonly pathType: string }[] };
    }[];
  };
}

const fixtures = 'test/deployment/fixtures/kubernetes';
const read = (path: string): string => readFileSync(path, 'utf8');
const manifestsOf = (path: string): Manifest[] =>
  parseAllDocuments(read(path)).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
const rendered = {
  'ops/kubernetes/riskgraph.yaml': manifestsOf('ops/kubernetes/riskgraph.yaml'),
  [`${fixtures}/everything.yaml`]: manifestsOf(`${fixtures}/everything.yaml`),
};
const [plain, everything] = Object.values(rendered) as [Manifest[], Manifest[]];
const of = (manifests: readonly Manifest[], kind: string): Manifest[] => manifests.filter((each) => each.kind === kind);

test('the rendered manifests are those of the chart as it is', () => {
  const files = readdirSync('ops/helm/riskgraph', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'values.schema.json')
    .map((entry) => join(entry.parentPath, entry.name));
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const list = [...files, `${fixtures}/everything.values.yaml`]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => `${sha256(read(path))}  ${path}\n`)
    .join('');
  for (const path of Object.keys(rendered))
    expect(read(path).split('\n')[0], 'run scripts/render-chart.sh').toBe(
      `# Rendered by scripts/render-chart.sh. Do not edit. Checksum of the chart: ${sha256(list)}`,
    );
});

describe.each(['1.27', '1.37'])('Kubernetes %s', (version) => {
  const { kinds, definitions } = JSON.parse(read(`${fixtures}/schema-${version}.json`)) as {
    kinds: Record<string, string>;
    definitions: object;
  };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validators = Object.fromEntries(
    Object.entries(kinds).map(([kind, $ref]) => [kind, ajv.compile({ $ref, definitions })]),
  );

  test.each(Object.entries(rendered))('%s follows the schemas of its API', (_, manifests) => {
    expect(manifests.length).toBeGreaterThan(8);
    for (const manifest of manifests) {
      const validate = validators[manifest.kind]!;
      validate(manifest);
      expect([manifest.kind, validate.errors ?? []]).toEqual([manifest.kind, []]);
    }
  });

  test('an unknown field, a wrong type and a missing field are refused', () => {
    const [deployment] = of(plain, 'Deployment') as [Manifest];
    const refuses = (change: (copy: { spec: Record<string, unknown> }) => void): boolean => {
      const copy = structuredClone(deployment) as unknown as { spec: Record<string, unknown> };
      change(copy);
      return !validators.Deployment!(copy);
    };
    expect(refuses(() => undefined)).toBe(false);
    expect(refuses(({ spec }) => (spec.replica = 2))).toBe(true);
    expect(refuses(({ spec }) => (spec.replicas = 'two'))).toBe(true);
    expect(refuses(({ spec }) => delete spec.selector)).toBe(true);
  });
});

test('everything is in the second file: Ingress and autoscaling too', () => {
  const kinds = (manifests: readonly Manifest[]): string[] => [...new Set(manifests.map(({ kind }) => kind))].sort();
  const always = ['ConfigMap', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount'];
  expect(kinds(plain)).toEqual(always);
  expect(kinds(everything)).toEqual([...always, 'HorizontalPodAutoscaler', 'Ingress'].sort());
  // The autoscaler decides about the number of pods.
  expect(of(everything, 'Deployment').map(({ spec }) => spec.replicas)).toEqual([undefined, undefined]);
  expect(of(plain, 'Deployment').map(({ spec }) => spec.replicas)).toEqual([2, 2]);
});

describe.each(Object.entries(rendered))('%s', (_, manifests) => {
  const [{ data }] = of(manifests, 'ConfigMap') as [Manifest];
  const deployments = of(manifests, 'Deployment');

  test('has an API and workers, each with a disruption budget and a policy of both directions', () => {
    expect(deployments.map(({ spec }) => spec.template.spec.containers[0].args)).toEqual([['api'], ['worker']]);
    for (const { spec } of deployments) {
      const { matchLabels } = spec.selector;
      expect(spec.template.metadata.labels).toMatchObject(matchLabels);
      expect(
        of(manifests, 'PodDisruptionBudget').filter(
          (budget) => JSON.stringify(budget.spec.selector.matchLabels) === JSON.stringify(matchLabels),
        ),
      ).toHaveLength(1);
      const policies = of(manifests, 'NetworkPolicy').filter(
        (policy) => JSON.stringify(policy.spec.podSelector.matchLabels) === JSON.stringify(matchLabels),
      );
      expect(policies.map((policy) => policy.spec.policyTypes)).toEqual([['Ingress', 'Egress']]);
    }
  });

  test.each(deployments.map((deployment) => [deployment.metadata.name, deployment] as const))(
    '%s runs without privileges, with limits, and reads secrets by reference',
    (_name, { spec: { template } }) => {
      const [container] = template.spec.containers;
      expect(template.spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(container.resources.requests).sort()).toEqual(['cpu', 'memory']);
      expect(container.resources.limits.memory).toBe('1536Mi');
      expect(container.image).not.toMatch(/:latest$|^[^:@]+$/);
      const files = container.env.filter(({ name }) => name.endsWith('_FILE')).map(({ name }) => name);
      expect(files).toEqual(expect.arrayContaining(['MONGO_URI', 'SECRET_KEY', 'ENCRYPTION_KEYS'].map(fileVariable)));
      expect(template.spec.volumes.filter(({ secret }) => secret)).toHaveLength(1);
      expect(container.env.filter(({ name }) => secretSettings.includes(name))).toEqual([]);
    },
  );

  test('probes ask pages that the processes have, on ports that they serve', () => {
    for (const { spec } of deployments) {
      const [{ args, ports, ...container }] = spec.template.spec.containers;
      const port = args[0] === 'api' ? 'http' : 'metrics';
      expect(container.startupProbe.httpGet).toEqual({ path: '/health/live', port });
      expect(container.livenessProbe.httpGet).toEqual({ path: '/health/live', port });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port });
      const served = { http: data.PORT, metrics: data.METRICS_PORT };
      for (const { name, containerPort } of ports)
        expect(String(containerPort)).toBe(served[name as keyof typeof served]);
    }
  });

  test('a pod is killed only after the pause, the draining, and the end of its work', () => {
    const patience = secondsToEnd();
    for (const { spec } of deployments) {
      const { containers, terminationGracePeriodSeconds } = spec.template.spec;
      const [, pause] = containers[0].lifecycle.preStop.exec.command;
      expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(pause) + Number(data.DRAIN_SECONDS) + patience);
    }
  });

  test('the settings are known, accepted, and none of them is a secret', () => {
    const known = settings.map(({ name }): string => name);
    expect(Object.keys(data).filter((name) => !known.includes(name) || secretSettings.includes(name))).toEqual([]);
    const others = { OIDC_JWKS_URI: 'https://login.example.org/keys', OIDC_AUDIENCE: 'riskgraph' };
    const config = loadConfig({ ...data, ...(data.OIDC_ISSUER && others), NODE_ENV: 'development' });
    expect(config.drainSeconds).toBe(Number(data.DRAIN_SECONDS));
  });
});

test('the Ingress publishes the API and every page of the console with its files, and neither health nor metrics', () => {
  const paths = of(everything, 'Ingress')[0]!.spec.rules.flatMap(({ http }) => http.paths);
  /** https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types */
  const isPublished = (asked: string): boolean =>
    paths.some(({ path, pathType }) => asked === path || (pathType === 'Prefix' && asked.startsWith(`${path}/`)));
  const published = ['/graphql', '/cohorts', '/jobs/1/predictions.ndjson', '/assets/index.js', '/console.json'];
  const session = ['/session', '/session/refresh'];
  for (const path of [...published, ...session, ...consoleAddresses])
    expect([path, isPublished(path)]).toEqual([path, true]);
  for (const path of ['/health', '/health/ready', '/metrics', '/graphiql', '/queues', '/queues/', '/elsewhere'])
    expect([path, isPublished(path)]).toEqual([path, false]);
});

test('the pods have the folders of the values, read-only where they say so', () => {
  const [api, worker] = of(everything, 'Deployment').map(({ spec }) => spec.template.spec);
  const foldersOf = ({ containers: [{ volumeMounts }], volumes }: NonNullable<typeof api>) =>
    volumes.flatMap(({ name, persistentVolumeClaim: claim }) => {
      const mount = volumeMounts.find((each) => each.name === name)!;
      return claim ? [[claim.claimName, claim.readOnly, mount.mountPath, mount.readOnly]] : [];
    });
  const models = ['riskgraph-models', true, '/models', true];
  expect(foldersOf(api!)).toEqual([models]);
  expect(foldersOf(worker!)).toEqual([models, ['riskgraph-backups', false, '/backups', false]]);
  const settingsOf = of(everything, 'ConfigMap')[0]!.data;
  expect([settingsOf.RISK_MODELS_DIRECTORY, settingsOf.BACKUP_TARGET]).toEqual(['/models', '/backups']);
});

test('the policies let API and workers out to DNS, to the databases, and to the services that the values name', () => {
  const portsOf = (manifests: readonly Manifest[]): number[][] =>
    of(manifests, 'NetworkPolicy').map(({ spec }) => spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port)));
  expect(portsOf(plain)).toEqual([
    [53, 53, 27017, 6379],
    [53, 53, 27017, 6379],
  ]);
  expect(portsOf(everything)).toEqual([
    [53, 53, 27017, 6380, 4318, 9000, 443],
    [53, 53, 27017, 6380, 4318, 9000, 443],
  ]);
  const traces = of(everything, 'NetworkPolicy')[0]!.spec.egress.find(({ ports }) => ports[0]!.port === 4318)!;
  expect(traces.to).toEqual([{ namespaceSelector: { matchLabels: { name: 'tracing' } } }]);
});

test('the version of the chart is that of the package', () => {
  const chart = parse(read('ops/helm/riskgraph/Chart.yaml')) as { version: string; appVersion: string };
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

test('the names of settings that the chart accepts are generated from the table of settings', () => {
  const schema = read('ops/helm/riskgraph/values.schema.json');
  expect(schema).toBe(withSettingNames(schema));
});

test('the values that the chart refuses are those that its schema names, a secret among the settings first of all', () => {
  const validate = new Ajv({ strict: false }).compile(
    JSON.parse(read('ops/helm/riskgraph/values.schema.json')) as object,
  );
  const values = parse(read('ops/helm/riskgraph/values.yaml')) as { image: object };
  expect(validate(values)).toBe(true);
  expect(validate({ ...values, settings: { SECRET_KEY: 'in plain sight' } })).toBe(false);
  expect(validate({ ...values, image: { ...values.image, tag: 'latest' } })).toBe(false);
  expect(validate({ ...values, drainSeconds: '15' })).toBe(false);
  expect(validate({ ...values, unknown: true })).toBe(false);
  for (const name of secretSettings) expect(validate({ ...values, settings: { [name]: 'x' } }), name).toBe(false);
  // Misspelt ones, and a file where the setting itself is wanted.
  for (const name of ['WORKER_CONCURENCY', 'JOB_RETENTION', 'worker_concurrency', 'SENTRY_DSN_FILE', 'HOST'])
    expect(validate({ ...values, settings: { [name]: '1' } }), name).toBe(false);
  for (const name of ['SENTRY_DNS', 'WEBHOOK_SECRET', 'TRUST_PROXY', 'MONGO_URI'])
    expect(validate({ ...values, moreSecrets: { [name]: 'key' } }), name).toBe(false);
  const taken = ['WORKER_CONCURRENCY', 'TRUST_PROXY', 'BACKUP_TARGET', 'MONGO_TLS_CA_FILE', 'NODE_EXTRA_CA_CERTS'];
  for (const name of taken) expect(validate({ ...values, settings: { [name]: '1' } }), name).toBe(true);
  expect(validate({ ...values, moreSecrets: { BACKUP_S3_SECRET_ACCESS_KEY: 'key' } })).toBe(true);
});

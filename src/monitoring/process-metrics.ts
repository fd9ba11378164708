import { Gauge } from 'prom-client';
import type { App } from '../app.js';
import { packageVersion } from '../process/package-root.js';
import { modelLabel } from '../scoring/score-patient.js';

/** The parts of the app whose state is shown in metrics. */
export type ProcessParts = Pick<App, 'metrics' | 'registry' | 'identity' | 'audit' | 'redisConnections'>;

/**
 * Adds the metrics of a process that are read when they are asked for: its version, its models, its connections to
 * Redis, its audit trail, and how old its knowledge of revocations is. A second call adds nothing.
 */
export function describeProcess({ metrics, registry, identity, audit, redisConnections }: ProcessParts): void {
  const { registry: register } = metrics;
  if (register.getSingleMetric('riskgraph_build_info')) return;
  const registers = [register];
  new Gauge({
    name: 'riskgraph_build_info',
    help: 'The version of RiskGraph. The value is always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version: packageVersion() }, 1);
  // An alert compares with an earlier value, so there must be one for each model.
  const showAdditivity = (): void => {
    for (const model of registry.list()) metrics.additivityFailures.inc({ model: modelLabel(model) }, 0);
  };
  showAdditivity();
  new Gauge({
    name: 'riskgraph_risk_model_info',
    help: 'The versions of risk models that this process offers. The value is always 1.',
    labelNames: ['model', 'version'],
    registers,
    collect() {
      this.reset();
      showAdditivity();
      for (const { manifest } of registry.list()) this.set({ model: manifest.id, version: manifest.version }, 1);
    },
  });
  new Gauge({
    name: 'riskgraph_redis_connections',
    help: 'Connections to Redis of this process.',
    labelNames: ['state'],
    registers,
    collect() {
      const all = [...redisConnections()];
      const ready = all.filter(({ status }) => status === 'ready').length;
      this.set({ state: 'ready' }, ready);
      this.set({ state: 'not_ready' }, all.length - ready);
    },
  });
  new Gauge({
    name: 'riskgraph_audit_waiting_events',
    help: 'Audit events whose callers wait for them to be durable.',
    registers,
    collect() {
      this.set(audit.backlog().waiting);
    },
  });
  new Gauge({
    name: 'riskgraph_audit_unsealed_seconds',
    help: 'Age of the oldest end of an audit chain that is not sealed by a head. 0 when all are.',
    registers,
    collect() {
      this.set(audit.backlog().unsealedSeconds);
    },
  });
  new Gauge({
    name: 'riskgraph_revocations_age_seconds',
    help: 'Time since this process last knew all revocations. 0 in a process that does not follow them.',
    registers,
    collect() {
      this.set(identity.revocations.ageSeconds());
    },
  });
}

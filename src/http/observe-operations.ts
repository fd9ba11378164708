import type { OperationDefinitionNode } from 'graphql';
import type { Logger } from 'pino';
import type { Metrics } from '../process/metrics.js';
import type { Tracing } from '../process/tracing.js';
import type { OperationStages } from './operation-stages.js';

/**
 * Names an operation in metrics and in the log. On an allow-list the name is the operator's. Otherwise the caller has
 * chosen it, and it may say anything: then the field of the schema is taken, or `several`.
 */
export function operationLabel({ name, selectionSet }: OperationDefinitionNode, isListed: boolean): string {
  if (isListed && name) return name.value;
  const [first, ...others] = selectionSet.selections;
  return first?.kind === 'Field' && others.length === 0 ? first.name.value : 'several';
}

/**
 * Measures each query and mutation, and traces it in the log (`LOG_LEVEL=trace`) with the id of its request, which the
 * log of the workers and the audit trail have too.
 */
export function observeOperations({
  metrics,
  tracing,
  logger,
  isListed,
}: {
  readonly metrics: Pick<Metrics, 'operations'>;
  readonly tracing: Pick<Tracing, 'add'>;
  readonly logger: Logger;
  /** True: only documents of the operator run. */
  readonly isListed: boolean;
}): OperationStages {
  return {
    willSendResponse({ operation, response: { body }, contextValue: { requestId, begunAt } }) {
      // A document that was refused has no operation. Its errors are counted by their code.
      if (!operation) return;
      const errors = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
      const label = { type: operation.operation, operation: operationLabel(operation, isListed) };
      const milliseconds = performance.now() - begunAt;
      metrics.operations.observe({ ...label, outcome: errors.length > 0 ? 'error' : 'ok' }, milliseconds / 1_000);
      const codes = [...new Set(errors.map(({ extensions }) => String(extensions?.code)))];
      tracing.add({
        'graphql.operation.type': label.type,
        'riskgraph.operation': label.operation,
        'riskgraph.request_id': requestId,
        ...(codes.length > 0 && { 'error.type': codes.join(',') }),
      });
      if (!logger.isLevelEnabled('trace')) return;
      logger.trace({ requestId, ...label, codes, milliseconds: Math.round(milliseconds) }, 'operation answered');
    },
  };
}

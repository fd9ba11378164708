import type { JobStage } from '../../models/index.js';
import type { Metrics } from '../process/metrics.js';
import type { Span, Tracing } from '../process/tracing.js';

/** The metrics of attempts. */
export type AttemptMetrics = Pick<Metrics, 'stageDuration' | 'attempts' | 'failedAttempts' | 'takeovers'>;

/** Measures the stages of one attempt. */
interface StageTimer {
  /** Ends the present stage, and begins this one. */
  enter(stage: JobStage): void;
  end(): void;
  /** Milliseconds of each stage that has ended. */
  milliseconds(): Partial<Record<JobStage, number>>;
}

export function timeStages(
  { stageDuration }: Pick<Metrics, 'stageDuration'>,
  kind: 'SINGLE' | 'CHUNK',
  tracing: Pick<Tracing, 'begin'>,
): StageTimer {
  const times: Partial<Record<JobStage, number>> = {};
  let present: { readonly stage: JobStage; readonly since: number; readonly span: Span } | undefined;
  const end = (): void => {
    if (!present) return;
    const { stage, since, span } = present;
    present = undefined;
    span.end();
    const milliseconds = performance.now() - since;
    times[stage] = Math.round(milliseconds);
    stageDuration.observe({ kind, stage }, milliseconds / 1_000);
  };
  return {
    enter(stage) {
      end();
      present = { stage, since: performance.now(), span: tracing.begin(stage) };
    },
    end,
    milliseconds: () => times,
  };
}

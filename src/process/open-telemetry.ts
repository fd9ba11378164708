import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Span as OpenTelemetrySpan,
  type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { describeError } from './logger.js';
import type { Span, SpanFacts, Tracing } from './tracing.js';
import { withinTime } from './within-time.js';

/** Longest time that the end of a process waits for the collector, milliseconds. */
const closeMs = 2_000;

interface TracingOptions {
  /** e.g. `http://10.0.0.7:4318`; the spans go to `/v1/traces` below it */
  readonly endpoint: string;
  /** Share of the traces that begin here and are sent, from 0 to 1. */
  readonly ratio: number;
  readonly service: string;
  readonly version: string;
}

const parentForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

function contextOf(parent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = parentForm.exec(parent) ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/**
 * Starts traces by OpenTelemetry. This module is loaded only when a collector is set, because its packages are optional.
 * At most 2,048 spans wait for the collector; further ones are dropped. No span waits for it.
 */
export function startTracing({ endpoint, ratio, service, version }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: new URL('v1/traces', `${endpoint.replace(/\/*$/, '')}/`).href });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('riskgraph', version);
  const present = new AsyncLocalStorage<OpenTelemetrySpan>();

  function start(name: string, kind: SpanKind, parent: SpanContext | undefined, facts: SpanFacts): OpenTelemetrySpan {
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    return tracer.startSpan(name, { kind, attributes: facts as Record<string, string> }, context);
  }
  function end(span: OpenTelemetrySpan, error: unknown): void {
    if (error !== undefined) {
      const { type, code } = describeError(error) as { type?: string; code?: unknown };
      span.setAttributes({ 'error.type': String(code ?? type) });
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
  async function run<T>(span: OpenTelemetrySpan, work: () => Promise<T>): Promise<T> {
    try {
      const result = await present.run(span, work);
      end(span, undefined);
      return result;
    } catch (error) {
      end(span, error ?? 'unknown');
      throw error;
    }
  }
  const below = (name: string, facts: SpanFacts): OpenTelemetrySpan | undefined => {
    const parent = present.getStore();
    return parent && start(name, SpanKind.INTERNAL, parent.spanContext(), facts);
  };

  return {
    begin(name, facts = {}): Span {
      const span = below(name, facts);
      return {
        add: (more) => void span?.setAttributes(more as Record<string, string>),
        end: (error) => span && end(span, error),
      };
    },
    span(name, facts, work) {
      const span = below(name, facts);
      return span ? run(span, work) : work();
    },
    arriving: (name, parent, work) =>
      run(start(name, SpanKind.SERVER, parent ? contextOf(parent) : undefined, {}), work),
    continued(name, parent, facts, work) {
      const context = parent === undefined ? undefined : contextOf(parent);
      return context ? run(start(name, SpanKind.CONSUMER, context, facts), work) : work();
    },
    add: (facts) => void present.getStore()?.setAttributes(facts as Record<string, string>),
    traceparent() {
      const context = present.getStore()?.spanContext();
      if (!context) return undefined;
      return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
    },
    async close() {
      await withinTime(
        provider.shutdown().catch(() => undefined),
        closeMs,
        () => undefined,
      );
    },
  };
}

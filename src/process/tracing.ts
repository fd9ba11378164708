/** Facts of a span. They are ids, codes, counts and words of our code, and nothing of a patient. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** A piece of work that is measured as a part of a trace. */
export interface Span {
  add(facts: SpanFacts): void;
  /** @param error the type and the code of it are kept, its message is not */
  end(error?: unknown): void;
}

/**
 * Follows a request from its arrival to the stored prediction and the event. One trace has the spans of all processes.
 * https://www.w3.org/TR/trace-context/
 */
export interface Tracing {
  /** Begins a span below the present one, which stays the present one. Without a present span it does nothing. */
  begin(name: string, facts?: SpanFacts): Span;
  /** Runs work as a span below the present one. Without a present span the work is not traced. */
  span<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>;
  /**
   * Runs work as the span of an arriving request.
   * @param parent `traceparent` of a trusted sender. Without one a trace begins here
   */
  arriving<T>(name: string, parent: string | undefined, work: () => Promise<T>): Promise<T>;
  /** Runs work as a span of a trace that another process has begun. Without its `traceparent` the work is not traced. */
  continued<T>(name: string, parent: string | undefined, facts: SpanFacts, work: () => Promise<T>): Promise<T>;
  /** Adds facts to the present span. */
  add(facts: SpanFacts): void;
  /** The present span as `traceparent`. Undefined without one. */
  traceparent(): string | undefined;
  /** Sends the spans that wait. */
  close(): Promise<void>;
}

const noSpan: Span = { add: () => undefined, end: () => undefined };

/** Traces nothing. */
export const noTracing: Tracing = {
  begin: () => noSpan,
  span: (_name, _facts, work) => work(),
  arriving: (_name, _parent, work) => work(),
  continued: (_name, _parent, _facts, work) => work(),
  add: () => undefined,
  traceparent: () => undefined,
  close: async () => undefined,
};

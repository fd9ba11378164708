/**
 * Every topic and its payload. Payloads are ids and numbers only: they pass through Redis, and what a subscriber is
 * shown is read again from MongoDB, with the subscriber's own rights.
 */
export interface Topics {
  /** A job changed; read it again. */
  scoringJobChanged: { readonly scoringJobId: string };
  /** Somebody wants a running job to stop. */
  scoringJobCancelRequested: { readonly scoringJobId: string };
  /** An organization writes with another data key from now on. */
  dataKeysChanged: { readonly organizationId: string };
  /** A batch stored predictions, as one block; read it to know whose. */
  predictionBlockCreated: { readonly organizationId: string; readonly blockId: string };
  /** Predictions were stored. `predictionIds` and `patientIds` run side by side. */
  predictionsCreated: {
    readonly organizationId: string;
    readonly predictionIds: readonly string[];
    readonly patientIds: readonly string[];
  };
  /** A credential was revoked; read the revocations again. The epoch counts them. */
  credentialsRevoked: { readonly epoch: number };
}

export type Topic = keyof Topics;

/** What goes over the wire: one channel for all topics. */
export type EventMessage = { [T in Topic]: { readonly topic: T; readonly payload: Topics[T] } }[Topic];

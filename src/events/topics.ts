/**
 * Every topic and its payload. Payloads are ids and numbers only, because they pass through Redis. The API reads what
 * it shows a subscriber again from MongoDB, with the subscriber's own rights.
 */
export interface Topics {
  /** A job was submitted, or has changed. The receiver reads it again. */
  scoringJobChanged: {
    readonly scoringJobId: string;
    readonly organizationId: string;
    /** Sequence number of the job after the change. Absent in events of an earlier release. */
    readonly sequence?: number;
    /** The job has ended. */
    readonly ended: boolean;
    /** The job has ended as COMPLETED. Absent in events of an earlier release. */
    readonly completed?: boolean;
  };
  /** A caller has asked to stop a running job. */
  scoringJobCancelRequested: { readonly scoringJobId: string };
  /** An organization writes with a new data key from now on. */
  dataKeysChanged: { readonly organizationId: string };
  /** Predictions were stored. The receiver reads the log of the organization (src/predictions/log-reader.ts). */
  predictionsCreated: { readonly organizationId: string; readonly count: number };
  /** A risk model was added, retired, or made the default. The receiver reads the list of versions again. */
  riskModelsChanged: Record<string, never>;
  /** An endpoint of webhooks was created, enabled, disabled or deleted. The receiver reads the list again. */
  webhookEndpointsChanged: Record<string, never>;
  /** A webhook waits: a job ended, or a delivery is to be replayed. A worker looks for it in MongoDB. */
  webhooksDue: Record<string, never>;
  /** A credential was revoked. The receiver reads the revocations again. The epoch counts them. */
  credentialsRevoked: { readonly epoch: number };
}

export type Topic = keyof Topics;

/** A message on the channel. There is one channel for all topics. */
export type EventMessage = { [T in Topic]: { readonly topic: T; readonly payload: Topics[T] } }[Topic];

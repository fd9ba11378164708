/**
 * Single jobs of a worker that go from step to step together, at most. A statement costs MongoDB as much as thirty jobs do in it, so
 * fewer would cost more a job; but were all of a large worker's jobs one cohort, the worker would be idle while MongoDB answers,
 * and MongoDB while the worker computes. Two cohorts of a worker of 192 were measured to be a tenth faster than one.
 */
export const largestCohort = 96;

/*
 * The failures of a batch as a list.
 *
 * Row of a patient: its number in the batch, from 1. The patients are fixed at submission and all chunks but the last
 * one have the same size, so the row never changes. A failure is listed under the row of its patient, and a cursor
 * holds that row.
 */
import { Types } from 'mongoose';
import type { PatientFailure, ScoringChunk, ScoringJob } from '../../models/index.js';
import type { Viewer } from '../auth/viewer.js';
import { visibleRows } from '../patients/visible-rows.js';
import type { OrganizationScope, ScopedChunks } from '../scope/organization-scope.js';
import type { PageSource } from '../scope/pagination.js';
import { bytesOf, unpackIds } from '../storage/binary.js';

/** A failure, with the row of its patient in the batch as its id. */
interface FailureRow extends PatientFailure {
  readonly _id: Types.ObjectId;
  readonly organization: Types.ObjectId;
}

/** Most chunks that are read at once. Each may hold a failure per patient. */
const chunksAtOnce = 20;

/** The failures of a batch about patients who are visible to the viewer, in the order of the batch. */
export function visibleFailures(scope: OrganizationScope, viewer: Viewer, job: ScoringJob): PageSource<FailureRow> {
  const chunks = scope.chunks(job);
  return visibleRows(scope, viewer).source(
    {},
    (closed) => failuresOf(chunks, job, closed),
    () => walkFailures(chunks, job, 0),
  );
}

function failuresOf(chunks: ScopedChunks, job: ScoringJob, closed: readonly Types.ObjectId[]): PageSource<FailureRow> {
  const hidden = new Set(closed.map((id) => id.toHexString()));

  /** The last failures before a row, the nearest first. Chunks are read in their order; only these rows are kept. */
  async function lastBefore(end: number, limit: number, isShown: (row: FailureRow) => boolean): Promise<FailureRow[]> {
    let last: FailureRow[] = [];
    for await (const rows of walkFailures(chunks, job, 0)) {
      const before = rows.filter(({ _id }) => rowOf(_id) < end);
      last = [...last, ...before.filter(isShown)].slice(-limit);
      if (before.length < rows.length) break;
    }
    return last.reverse();
  }
  return {
    name: `failures of ${job._id.toHexString()}`,
    async find(from, limit, way) {
      const isShown = ({ patient }: FailureRow): boolean => !hidden.has(patient.toHexString());
      if (way === 'backward') return lastBefore(from ? rowOf(from.id) : Infinity, limit, isShown);
      const found: FailureRow[] = [];
      for await (const rows of walkFailures(chunks, job, from ? rowOf(from.id) : 0)) {
        found.push(...rows.filter(isShown));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
    count: () => chunks.countFailures(closed),
  };
}

/** Reads the failures behind a row, in the order of their rows, some chunks at a time. */
async function* walkFailures(
  chunks: ScopedChunks,
  job: ScoringJob,
  afterRow: number,
): AsyncGenerator<readonly FailureRow[]> {
  const size = await chunks.largest();
  if (size === 0) return;
  for (let number = Math.floor(afterRow / size); ;) {
    const failed = await chunks.failed(number, chunksAtOnce);
    yield failed.flatMap((chunk) => rowsOf(chunk, size, job).filter(({ _id }) => rowOf(_id) > afterRow));
    if (failed.length < chunksAtOnce) return;
    number = failed.at(-1)!.number + 1;
  }
}

function rowsOf(chunk: ScoringChunk, size: number, { organization }: ScoringJob): FailureRow[] {
  const rows = new Map(
    unpackIds(bytesOf(chunk.patients)).map((id, place) => [id.toHexString(), chunk.number * size + place + 1]),
  );
  return chunk.failures
    .map((failure) => ({ ...failure, row: rows.get(failure.patient.toHexString()) ?? 0 }))
    .sort((left, right) => left.row - right.row)
    .map(({ row, ...failure }) => ({ ...failure, organization, _id: idOfRow(row) }));
}

/** Bytes of an id that hold a row. */
const rowBytes = 6;
const idBytes = 12;

/** The row as an id: the lists of this API name a place by an id. */
function idOfRow(row: number): Types.ObjectId {
  const bytes = Buffer.alloc(idBytes);
  bytes.writeUIntBE(row, idBytes - rowBytes, rowBytes);
  return new Types.ObjectId(bytes);
}

const rowOf = (id: Types.ObjectId): number => Buffer.from(id.id).readUIntBE(idBytes - rowBytes, rowBytes);

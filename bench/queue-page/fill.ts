import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { Types } from 'mongoose';

/** Entries per call of Redis. */
const perCall = 10_000;

/** Copies an entry of the queue under other ids, as BullMQ stores it: a hash, and a place in the order of priorities. */
const copies = `
  local prefix, first, from = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local entry = redis.call('HGETALL', prefix .. first)
  local data = 0
  for i = 1, #entry, 2 do if entry[i] == 'data' then data = i + 1 end end
  local text = entry[data]
  local job = string.sub(first, 1, 24)
  local score = redis.call('ZSCORE', prefix .. 'prioritized', first)
  for n = from, from + tonumber(ARGV[4]) - 1 do
    local id = string.sub(job, 1, 16) .. string.format('%08x', n)
    entry[data] = string.gsub(text, job, id)
    redis.call('HSET', prefix .. id .. '-1', unpack(entry))
    redis.call('ZADD', prefix .. 'prioritized', tostring(score + n), id .. '-1')
  end
  redis.call('INCRBY', prefix .. 'pc', ARGV[4])`;

/** Adds entries of single jobs to a queue. BullMQ adds the first one, and Redis copies it. */
export async function fill(queue: Queue, redis: Redis, entries: number): Promise<void> {
  const scoringJobId = new Types.ObjectId().toHexString();
  const jobId = `${scoringJobId}-1`;
  await queue.add('single', { kind: 'single', scoringJobId, dispatch: 1 }, { jobId, priority: 6 });
  const prefix = queue.toKey('');
  for (let count = 1; count < entries; count += perCall)
    await redis.eval(copies, 0, prefix, jobId, count, Math.min(perCall, entries - count));
}

import { Types } from 'mongoose';

/**
 * The lowest id that an object made at this time, or later, can have. The first four bytes of an id are the seconds of
 * its time. https://www.mongodb.com/docs/manual/reference/bson-types/#objectid
 */
export const startOfSecond = (time: Date): Types.ObjectId =>
  Types.ObjectId.createFromTime(Math.min(lastSecond, Math.max(0, Math.floor(time.getTime() / 1000))));

/** The last second that an id can have, in the year 2106. */
const lastSecond = 0xffff_ffff;

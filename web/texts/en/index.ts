import { common } from './common.js';
import { jobs } from './jobs.js';
import { signIn } from './sign-in.js';

/** The English catalogue, one part per page. Its form is that of all languages. */
export const texts = { ...common, signIn, jobs };

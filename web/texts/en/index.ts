import { cohort } from './cohort.js';
import { common } from './common.js';
import { jobs } from './jobs.js';
import { patient } from './patient.js';
import { plots } from './plots.js';
import { signIn } from './sign-in.js';
import { worklist } from './worklist.js';

/** The English catalogue, one part per page. Its form is that of all languages. */
export const texts = { ...common, signIn, jobs, cohort, plots, patient, worklist };

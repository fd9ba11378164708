import { administration } from './administration.js';
import { cohort } from './cohort.js';
import { common } from './common.js';
import { jobs } from './jobs.js';
import { models } from './models.js';
import { patient } from './patient.js';
import { plots } from './plots.js';
import { signIn } from './sign-in.js';
import { worklist } from './worklist.js';

/** The English catalogue, one part per page. Its form is that of all languages. */
export const texts = { ...common, administration, cohort, jobs, models, patient, plots, signIn, worklist };

import type { Texts } from '../catalogue.js';
import { administration } from './administration.js';
import { cohort } from './cohort.js';
import { common } from './common.js';
import { jobs } from './jobs.js';
import { models } from './models.js';
import { patient } from './patient.js';
import { plots } from './plots.js';
import { signIn } from './sign-in.js';
import { worklist } from './worklist.js';

/** The German catalogue. A text that is missing here fails the check of types. */
export const texts: Texts = { ...common, administration, cohort, jobs, models, patient, plots, signIn, worklist };

import type { Texts } from '../catalogue.js';
import { cohort } from './cohort.js';
import { common } from './common.js';
import { jobs } from './jobs.js';
import { patient } from './patient.js';
import { plots } from './plots.js';
import { signIn } from './sign-in.js';
import { worklist } from './worklist.js';

/** The German catalogue. A text that is missing here fails the check of types. */
export const texts: Texts = { ...common, signIn, jobs, cohort, plots, patient, worklist };

import type { Texts } from '../catalogue.js';
import { common } from './common.js';
import { jobs } from './jobs.js';
import { signIn } from './sign-in.js';

/** The German catalogue. A text that is missing here fails the check of types. */
export const texts: Texts = { ...common, signIn, jobs };

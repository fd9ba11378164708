import type { ComponentType } from 'preact';
import type { PageProps } from './pages/page-props.js';
import type { Texts } from './texts/catalogue.js';

/** One place of the console. Each page is loaded when it is first visited. */
export interface Route {
  /** Pattern of the path. src/http/console-pages.ts serves it. */
  readonly path: string;
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>;
  /** The action of the permission table without which the place is not offered. */
  readonly permission: string;
  /** The text of the navigation. Absent: the place is reached from another one. */
  readonly navigation?: (texts: Texts) => string;
}

/** All places. The first one that the viewer may see is the home of that viewer. */
export const routes: readonly Route[] = [
  {
    path: '/',
    load: () => import('./pages/worklist/worklist-page.js'),
    permission: 'patient:read',
    navigation: ({ navigation }) => navigation.worklist,
  },
  { path: '/patients/:id', load: () => import('./pages/patient/patient-page.js'), permission: 'patient:read' },
  {
    path: '/cohorts',
    load: () => import('./pages/cohort/cohort-list.js'),
    permission: 'prediction:read',
    navigation: ({ navigation }) => navigation.cohorts,
  },
  { path: '/cohorts/:id', load: () => import('./pages/cohort/cohort-page.js'), permission: 'prediction:read' },
  {
    path: '/administration',
    load: () => import('./pages/administration/administration-page.js'),
    permission: 'user:manage',
    navigation: ({ navigation }) => navigation.administration,
  },
  {
    path: '/administration/:section',
    load: () => import('./pages/administration/administration-page.js'),
    permission: 'user:manage',
  },
  {
    path: '/jobs',
    load: () => import('./pages/jobs/job-list.js'),
    permission: 'job:read',
    navigation: ({ navigation }) => navigation.jobs,
  },
  { path: '/jobs/:id', load: () => import('./pages/jobs/job-page.js'), permission: 'job:read' },
  {
    path: '/models',
    load: () => import('./pages/models/model-list.js'),
    permission: 'model:read',
    navigation: ({ navigation }) => navigation.models,
  },
  { path: '/models/:id', load: () => import('./pages/models/model-page.js'), permission: 'model:read' },
];

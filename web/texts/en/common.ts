import { counted } from '../counted.js';

/** Texts of the shell and of shared parts. */
export const common = {
  navigation: {
    label: 'Main',
    worklist: 'Worklist',
    cohorts: 'Cohorts',
    jobs: 'Jobs',
    models: 'Models',
    administration: 'Administration',
    explore: 'Explore the API',
  },
  shell: {
    skip: 'Skip to the content',
    of: (username: string, organization: string) => `${username} of ${organization}`,
    signOut: 'Sign out',
    theme: 'Colours',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    language: 'Language',
    lost: 'The connection is lost. The console tries again on its own, and misses nothing.',
    loading: 'Loading …',
    notFound: 'There is no such page',
    notFoundHelp: 'Check the address, or choose a page from the navigation.',
    notAllowed: 'This page is not for your role',
    notAllowedHelp: (role: string) => `Your role is ${role}. Ask an administrator of your organization.`,
    notForAdministrators:
      'You are an administrator: your role manages the organization, and shows no patients and no results. ' +
      'Clinicians and analysts see this page.',
    pageFailed: 'The page could not be loaded',
    pageFailedHelp: 'The console may have been updated: reload the page.',
    reload: 'Reload',
  },
  roles: { CLINICIAN: 'Clinician', ANALYST: 'Analyst', SERVICE: 'Service', ADMIN: 'Administrator' },
  parts: {
    error: 'This did not work',
    requestId: (id: string) => `Request ${id}`,
    noAnswer: 'RiskGraph does not answer. Check the network.',
    noProviderAnswer: 'The identity provider does not answer. Check the network, and try again.',
    notEnded: (reason: string) => `The session could not be ended on the server: ${reason}`,
    tryAgain: 'Try again',
    marks: 'Figure. The arrow keys read its values.',
    table: 'Show as a table',
    figure: 'Show as a figure',
    downloadSvg: 'Download SVG',
    downloadPng: 'Download PNG',
    cancel: 'Keep it as it is',
    close: 'Close',
    empty: 'There is nothing here.',
    rows: (count: string) => counted(count, 'row', 'rows'),
    all: 'All',
  },
};

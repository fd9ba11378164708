import type { signIn as english } from '../en/sign-in.js';

export const signIn: typeof english = {
  title: 'Anmelden',
  provider: 'Mit dem Konto Ihres Hauses anmelden',
  orPassword: 'oder mit einem Passwort von RiskGraph:',
  organization: 'Organisation',
  username: 'Benutzername',
  password: 'Passwort',
  submit: 'Anmelden',
  running: 'Anmeldung läuft …',
  organizationHelp: 'Der Kurzname Ihres Hauses, wie ihn die Verwaltung Ihnen gegeben hat.',
};

import type { signIn as english } from '../en/sign-in.js';

export const signIn: typeof english = {
  title: 'Anmelden',
  provider: 'Mit dem Konto Ihres Hauses anmelden',
  orPassword: 'oder mit einem Passwort von RiskGraph:',
  signedOut: 'Sie sind hier und beim Konto Ihres Hauses abgemeldet.',
  providerSession:
    'Sie sind hier abgemeldet. Das Konto Ihres Hauses ist auf diesem Gerät noch angemeldet: Bitte auch dort abmelden, wenn andere es benutzen.',
  organization: 'Organisation',
  username: 'Benutzername',
  password: 'Passwort',
  submit: 'Anmelden',
  running: 'Anmeldung läuft …',
  organizationHelp: 'Der Kurzname Ihres Hauses, wie ihn die Verwaltung Ihnen gegeben hat.',
};

import type { common as english } from '../en/common.js';
import { counted } from '../counted.js';

export const common: typeof english = {
  navigation: {
    label: 'Hauptmenü',
    worklist: 'Arbeitsliste',
    cohorts: 'Kohorten',
    jobs: 'Aufträge',
    models: 'Modelle',
    administration: 'Verwaltung',
    explore: 'Die API erkunden',
  },
  shell: {
    skip: 'Zum Inhalt springen',
    of: (username, organization) => `${username}, ${organization}`,
    signOut: 'Abmelden',
    theme: 'Farben',
    themes: { system: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
    language: 'Sprache',
    lost: 'Die Verbindung ist unterbrochen. Die Konsole versucht es von selbst wieder und verpasst nichts.',
    loading: 'Wird geladen …',
    notFound: 'Diese Seite gibt es nicht',
    notFoundHelp: 'Prüfen Sie die Adresse, oder wählen Sie eine Seite im Menü.',
    notAllowed: 'Diese Seite ist nicht für Ihre Rolle',
    notAllowedHelp: (role) => `Ihre Rolle ist ${role}. Fragen Sie die Verwaltung Ihrer Organisation.`,
    notForAdministrators:
      'Sie gehören zur Verwaltung: Ihre Rolle verwaltet die Organisation und zeigt weder Personen noch Ergebnisse. ' +
      'Diese Seite sehen Klinik und Analyse.',
    pageFailed: 'Die Seite konnte nicht geladen werden',
    pageFailedHelp: 'Vielleicht wurde die Konsole erneuert: Laden Sie die Seite neu.',
    reload: 'Neu laden',
  },
  roles: { CLINICIAN: 'Klinik', ANALYST: 'Analyse', SERVICE: 'Dienst', ADMIN: 'Verwaltung' },
  parts: {
    error: 'Das hat nicht geklappt',
    requestId: (id) => `Anfrage ${id}`,
    noAnswer: 'RiskGraph antwortet nicht. Prüfen Sie das Netz.',
    noProviderAnswer: 'Der Identitätsdienst antwortet nicht. Prüfen Sie das Netz, und versuchen Sie es noch einmal.',
    notEnded: (reason) => `Die Sitzung konnte auf dem Server nicht beendet werden: ${reason}`,
    tryAgain: 'Noch einmal versuchen',
    marks: 'Abbildung. Die Pfeiltasten lesen ihre Werte vor.',
    table: 'Als Tabelle zeigen',
    figure: 'Als Bild zeigen',
    downloadSvg: 'SVG herunterladen',
    downloadPng: 'PNG herunterladen',
    cancel: 'Nichts ändern',
    close: 'Schließen',
    empty: 'Hier ist nichts.',
    rows: (count) => counted(count, 'Zeile', 'Zeilen'),
    all: 'Alle',
  },
};

import type { VNode } from 'preact';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { ShownPatient } from './values.js';

type Entry = readonly [term: string, text: string];

/** Oldest age that is shown exactly to a viewer without `patient:read-exact-age`. It stands for all above it too. */
const pooledAge = 90;

/** Writes the name of a patient as it stands in lists. Undefined for a patient without a name. */
export const nameOf = ({ familyName, givenName }: Pick<ShownPatient, 'familyName' | 'givenName'>): string | undefined =>
  [familyName, givenName].filter(Boolean).join(', ') || undefined;

/** Shows who the patient is, as far as the viewer may see it. */
export function Identity({ patient }: { readonly patient: ShownPatient }): VNode {
  const may = useMay();
  const isKnown = may('patient:read-identity');
  const texts = useTexts().patient;
  const formats = useFormats();
  const isPooled = patient.age === pooledAge && !may('patient:read-exact-age');
  const age = patient.age == null ? '–' : formats.number(patient.age);
  const who: Entry[] = [
    [texts.mrn, patient.mrn ?? '–'],
    [texts.birthDate, patient.birthDate ? formats.day(patient.birthDate) : '–'],
    [texts.careTeam, patient.careTeam?.join(', ') ?? texts.everyClinician],
  ];
  const entries: Entry[] = [
    ...(isKnown ? who : []),
    [texts.age, isPooled ? texts.yearsOrMore(age) : patient.age == null ? age : texts.years(age)],
    [texts.sex, texts.sexes[patient.sex ?? 'UNKNOWN']],
    [texts.changed, formats.dateTime(patient.updatedAt)],
    [texts.id, patient.id],
  ];
  return (
    <section class="card identity" aria-label={texts.identity}>
      <dl>
        {entries.map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {!isKnown && <p class="quiet">{texts.hidden}</p>}
    </section>
  );
}

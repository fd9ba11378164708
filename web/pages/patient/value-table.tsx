import { useNow } from '../../shell/router.js';
import { unitOf, valueText } from '../../components/value-text.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { otherValues, valueRows, type Feature, type Model, type ShownPatient, type ValueRow } from './values.js';

/** Lists the values of a patient in the order of a model: unit, range, and the age of each. */
export function ValueTable({ model, patient }: { readonly model: Model; readonly patient: ShownPatient }) {
  const texts = useTexts().patient;
  const formats = useFormats();
  const now = useNow();
  const others = otherValues(model, patient);

  function value({ feature, origin, value: present }: ValueRow): string {
    if (present !== undefined) return valueText(feature, present, formats);
    return origin === 'record' ? texts.sexes[patient.sex!] : texts.missing;
  }
  function missing(feature: Feature): string {
    const { policy, value: used, meaning } = feature.missing;
    if (policy === 'REQUIRED') return texts.required;
    if (policy === 'NATIVE') return [texts.native, meaning].filter(Boolean).join(' ');
    return [used != null && texts.imputed(valueText(feature, used, formats)), meaning].filter(Boolean).join(' ');
  }
  return (
    <section class="card values">
      <h2>{texts.features}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.features}>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.feature}</th>
              <th scope="col">{texts.value}</th>
              <th scope="col">{texts.range}</th>
              <th scope="col">{texts.recorded}</th>
            </tr>
          </thead>
          <tbody>
            {valueRows(model, patient).map((row) => (
              <tr key={row.feature.code} class={row.origin === 'missing' ? 'missing' : undefined}>
                <th scope="row" title={row.feature.description ?? undefined}>
                  {row.feature.label}
                </th>
                <td>
                  {value(row)}
                  {row.origin === 'missing' && <small class="quiet">{missing(row.feature)}</small>}
                </td>
                <td>{rangeText(row.feature)}</td>
                <td>
                  {row.recordedAt ? (
                    <time dateTime={row.recordedAt} title={formats.dateTime(row.recordedAt)}>
                      {formats.age(row.recordedAt, now)}
                    </time>
                  ) : (
                    row.origin === 'record' && texts.fromRecord
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {others.length > 0 && (
        <details>
          <summary>{texts.otherFeatures}</summary>
          <dl>
            {others.map(({ code, value: present, unit, recordedAt }) => (
              <div key={code}>
                <dt>{code}</dt>
                <dd>
                  {formats.number(present)} {unit} · {formats.age(recordedAt, now)}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );

  function rangeText(feature: Feature): string {
    if (feature.codes) return feature.codes.map(({ label }) => label).join(', ');
    if (!feature.range) return '';
    return texts.between(formats.number(feature.range.min), formats.number(feature.range.max), unitOf(feature));
  }
}

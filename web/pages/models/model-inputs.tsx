import type { VNode } from 'preact';
import { valueText } from '../../components/value-text.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { Feature, Model } from './model.js';

/** The inputs of a model: units, allowed values, and what happens when one is missing. */
export function ModelInputs({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const formats = useFormats();
  function missing(feature: Feature): string {
    const { policy, value, meaning } = feature.missing;
    if (policy === 'IMPUTE') {
      const taken = models.policies.IMPUTE(value == null ? '' : valueText(feature, value, formats));
      return meaning ? `${taken} ${meaning}` : taken;
    }
    return [models.policies[policy], meaning].filter(Boolean).join(' ');
  }
  const allowed = ({ range, codes }: Feature): string =>
    codes
      ? codes.map(({ value, label }) => `${formats.number(value)} = ${label}`).join('; ')
      : range
        ? `${formats.number(range.min)} – ${formats.number(range.max)}`
        : '';
  return (
    <section class="card scroll" tabIndex={0} aria-label={models.tabs.inputs}>
      <table>
        <caption>{models.tabs.inputs}</caption>
        <thead>
          <tr>
            {[models.input, models.unit, models.allowed, models.missing].map((header) => (
              <th key={header} scope="col">
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {model.features.map((feature) => (
            <tr key={feature.code}>
              <th scope="row">
                {feature.label}
                <br />
                <code>{feature.code}</code>
                {feature.description && (
                  <>
                    <br />
                    <small>{feature.description}</small>
                  </>
                )}
              </th>
              <td>{feature.unitLabel || '–'}</td>
              <td>{allowed(feature)}</td>
              <td>{missing(feature)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

import { historyTable, renderHistory } from '../../../src/risk/plots/history.js';
import { Band } from '../../components/band.js';
import { Figure } from '../../components/figure.js';
import { answerText } from '../../components/value-text.js';
import type { PatientPageResultFragment } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { Comparison } from './comparison.js';
import { comparedIds, historyOf } from './figures.js';
import type { Model } from './values.js';

interface Props {
  readonly model: Model;
  /** Newest first. */
  readonly results: readonly PatientPageResultFragment[];
  readonly totalCount: number;
  readonly query: URLSearchParams;
  readonly onEarlier: (id: string) => void;
  readonly onLater: (id: string) => void;
  readonly onMore: (() => void) | undefined;
}

/** The scores of a patient by one model over time, and the difference between two of them. */
export function History({ model, results, totalCount, query, onEarlier, onLater, onMore }: Props) {
  const texts = useTexts().patient;
  const formats = useFormats();
  const { from, to } = comparedIds(results, query);
  const written = { AXIS: formats.date, TIME: formats.time, FULL: formats.dateTime };
  const figure = historyOf(model, results, texts, (time, use) => written[use](time.toISOString()));
  return (
    <section class="card history">
      <h2>{texts.history}</h2>
      <Figure
        fileName="scores-over-time"
        draw={(options) => renderHistory(figure, options)}
        table={(options) => historyTable(figure, options)}
      />
      <h3>{texts.change}</h3>
      <p class="quiet">{texts.changeHelp}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.historyCount(formats.number(totalCount))}>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.earlier}</th>
              <th scope="col">{texts.later}</th>
              <th scope="col">{texts.when}</th>
              <th scope="col">{texts.answer}</th>
              <th scope="col">{texts.band}</th>
              <th scope="col">{texts.version}</th>
            </tr>
          </thead>
          <tbody>
            {results.map((result) => {
              const when = formats.dateTime(result.createdAt);
              return (
                <tr key={result.id}>
                  <td>
                    <input
                      type="radio"
                      name="compared-from"
                      aria-label={`${texts.earlier}: ${when}`}
                      checked={result.id === from}
                      onChange={() => onEarlier(result.id)}
                    />
                  </td>
                  <td>
                    <input
                      type="radio"
                      name="compared-to"
                      aria-label={`${texts.later}: ${when}`}
                      checked={result.id === to}
                      onChange={() => onLater(result.id)}
                    />
                  </td>
                  <th scope="row">
                    <time dateTime={result.createdAt}>{when}</time>
                  </th>
                  <td>{answerText(result, model, formats)}</td>
                  <td>
                    <Band band={result.riskBand} />
                  </td>
                  <td>{result.modelVersion}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {onMore && (
        <button type="button" onClick={onMore}>
          {texts.more}
        </button>
      )}
      {from && to && <Comparison model={model} from={from} to={to} />}
    </section>
  );
}

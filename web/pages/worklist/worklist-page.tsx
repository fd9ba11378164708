import type { VNode } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { useQuery } from '../../api/hooks.js';
import { Band } from '../../components/band.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList } from '../../components/virtual-list.js';
import { useMedia } from '../../components/media.js';
import { WorklistModelsDocument, type WorklistModelsQuery, type WorklistRowFragment } from '../../generated/graphql.js';
import { navigate, useNow, usePlace, useTitle } from '../../shell/router.js';
import { useMay, useViewer } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { nameOf } from '../patient/identity.js';
import { answerText, valueText } from '../../components/value-text.js';
import { onlyScored, readChoice, toArguments, writeChoice, type Choice, type Search } from './choice.js';
import { ColumnChoice } from './column-choice.js';
import { chosenColumns, columnsFor, featureOf, storedColumns, type Column, type PlainColumn } from './columns.js';
import { Filters } from './filters.js';
import { OutsideSearch } from './outside-search.js';
import { SearchForm } from './search-form.js';
import { useRows } from './use-rows.js';
import './worklist.css';

type Model = WorklistModelsQuery['riskModels'][number];

/** The patients of the viewer, by latest risk. */
export default function WorklistPage(): VNode {
  const { worklist: texts } = useTexts();
  const { data, error, reload } = useQuery(WorklistModelsDocument, {});
  useTitle(texts.title);
  const models = data?.riskModels.filter(({ isDefault }) => isDefault);
  return (
    <section class="worklist">
      <h1>{texts.title}</h1>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {models && (models.length > 0 ? <Worklist models={models} /> : <p class="note">{texts.noModel}</p>)}
      {!data && !error && <p class="quiet">{texts.loading}</p>}
    </section>
  );
}

function Worklist({ models }: { readonly models: readonly Model[] }): VNode {
  const { worklist: texts } = useTexts();
  const { query } = usePlace();
  const may = useMay();
  const withResults = may('prediction:read');
  const given = readChoice(query);
  const choice: Choice = withResults
    ? given
    : { ...given, bands: [], order: given.order === 'created' ? 'created' : 'changed' };
  const model =
    models.find(({ modelId }) => modelId === choice.model) ??
    models.find(({ isWorklistModel }) => isWorklistModel) ??
    models[0]!;
  const [search, setSearch] = useState<Search>();
  const change = (next: Choice): void => navigate(`/${writeChoice(next)}`);
  return (
    <>
      <div class="toolbar">
        {may('patient:read-identity') && <SearchForm onSearch={setSearch} />}
        <Filters choice={choice} models={models} modelId={model.modelId} withResults={withResults} onChange={change} />
      </div>
      {onlyScored(choice, search) && <p class="quiet">{texts.onlyScored(model.name)}</p>}
      <Rows
        key={JSON.stringify([choice, search])}
        model={model}
        choice={choice}
        search={search}
        onAll={() => change({ ...choice, bands: [], order: 'changed' })}
      />
    </>
  );
}

interface RowsProps {
  readonly model: Model;
  readonly choice: Choice;
  readonly search: Search | undefined;
  /** Lists all patients, scored or not. */
  readonly onAll: () => void;
}

/** The row on top is a part of the step in the history, so that the way back leads to it. */
const topOf = (state: unknown): number => (state as { readonly top?: number } | null)?.top ?? 0;
const keepTop = (top: number): void => history.replaceState({ top }, '');

/** Columns that are short enough for half of a card. All others have a line each, so that nothing of them is cut. */
const short = new Set<Column>(['age', 'sex']);

/** Height of a card, CSS pixels. */
function cardHeight(columns: readonly Column[]): number {
  const halves = columns.filter((column, place) => place > 0 && short.has(column)).length;
  return 16 + 22.4 * (columns.length - halves + Math.ceil(halves / 2));
}

/** Order of a card: name, risk, MRN, the other lines, and the short ones last. */
function cardPlace(column: Column): number {
  const place = (['name', 'risk', 'mrn'] as readonly Column[]).indexOf(column);
  return place >= 0 ? place : short.has(column) ? 4 : 3;
}
const isNumber = (column: Column): boolean => column === 'age' || featureOf(column) !== undefined;
const widthOf = (column: Column): string =>
  ['name', 'risk', 'mrn'].includes(column) ? 'minmax(12rem, 1.5fr)' : 'minmax(8rem, 1fr)';

const storageKey = 'riskgraph.worklist-columns';

function Rows({ model, choice, search, onAll }: RowsProps): VNode {
  const { worklist: texts, patient } = useTexts();
  const formats = useFormats();
  const now = useNow();
  const may = useMay();
  const { permissions } = useViewer();
  const isNarrow = useMedia('(max-width: 44rem)');
  const available = columnsFor({ permissions, features: model.features.map(({ code }) => code) });
  const [stored, setStored] = useState(() => localStorage.getItem(storageKey));
  const columns = chosenColumns(available, stored);
  const cards = [...columns].sort((left, right) => cardPlace(left) - cardPlace(right));
  const [round, setRound] = useState(0);
  const rows = useRows(
    {
      ...toArguments(choice, search, { modelId: model.modelId, isQuantity: Boolean(model.quantity) }),
      model: model.modelId,
      identity: may('patient:read-identity'),
      results: may('prediction:read'),
      features: columns.some(featureOf),
    },
    round,
  );
  const total = rows?.total;
  const reach = useCallback((last: number, first: number) => rows?.show(first, last), [rows]);
  const nameOfColumn = (column: Column): string => {
    const feature = model.features.find(({ code }) => code === featureOf(column));
    if (!feature) return texts.columnNames[column as PlainColumn];
    return feature.unitLabel ? `${feature.label} (${feature.unitLabel})` : feature.label;
  };
  return (
    <>
      <div class="list-head">
        <p role="status">
          {total === undefined
            ? texts.loading
            : `${texts.count(formats.number(total))}${search ? ` ${texts.found}` : ''}`}
        </p>
        <ColumnChoice
          available={available}
          shown={columns}
          nameOf={nameOfColumn}
          onChange={(chosen) => {
            const text = chosen && storedColumns(chosen);
            if (text === null) localStorage.removeItem(storageKey);
            else localStorage.setItem(storageKey, text);
            setStored(text);
          }}
        />
        <button type="button" onClick={() => setRound((count) => count + 1)}>
          {texts.again}
        </button>
      </div>
      {rows?.error && <ErrorBox error={rows.error} onRetry={() => rows.retry()} />}
      {total === 0 && (
        <div class="none">
          <p>{texts.none}</p>
          {onlyScored(choice, search) && (
            <button type="button" onClick={onAll}>
              {texts.all}
            </button>
          )}
          {search?.by === 'mrn' && may('patient:break-glass') && <OutsideSearch mrn={search.text} />}
        </div>
      )}
      {rows && total !== undefined && total > 0 && (
        <VirtualList
          label={texts.grid}
          columns={(isNarrow ? cards : columns).map((column, place) => ({
            key: column,
            header: nameOfColumn(column),
            width: widthOf(column),
            class: [isNumber(column) && 'number', !short.has(column) && 'wide'].filter(Boolean).join(' '),
            cell: (row: WorklistRowFragment) => (place === 0 ? opening(row, cell(column, row)) : cell(column, row)),
          }))}
          rows={rows}
          totalCount={total}
          reach={reach}
          onOpen={({ id }) => navigate(`/patients/${id}`)}
          rowHeight={isNarrow ? cardHeight(cards) : 40}
          isCards={isNarrow}
          top={topOf(history.state)}
          onTop={keepTop}
          foot={texts.gridHelp}
        />
      )}
    </>
  );

  /** The first cell is a link, which opens in a new window too. The arrow keys go from row to row, so Tab passes it by. */
  function opening({ id }: WorklistRowFragment, content: VNode | string): VNode {
    return (
      <a href={`/patients/${id}`} tabIndex={-1}>
        {content}
      </a>
    );
  }
  function cell(column: Column, row: WorklistRowFragment): VNode | string {
    const code = featureOf(column);
    if (code) {
      const feature = model.features.find((known) => known.code === code)!;
      const value = row.features?.find((known) => known.code === code)?.value;
      return value === undefined ? '–' : valueText({ ...feature, unitLabel: '' }, value, formats);
    }
    const latest = row.latestPrediction;
    switch (column as PlainColumn) {
      case 'name':
        return nameOf(row) ?? texts.nameless;
      case 'mrn':
        return row.mrn ?? '–';
      case 'birthDate':
        return row.birthDate ? formats.day(row.birthDate) : '–';
      case 'careTeam':
        return row.careTeam?.join(', ') ?? texts.everyone;
      case 'age':
        return row.age == null ? '–' : formats.number(row.age);
      case 'sex':
        return patient.sexes[row.sex ?? 'UNKNOWN'];
      case 'changed':
        return formats.age(row.updatedAt, now);
      case 'created':
        return formats.age(row.createdAt, now);
      case 'risk':
        return latest ? (
          <span>
            {answerText(latest, model, formats)} <Band band={latest.riskBand} />
          </span>
        ) : (
          texts.notScored
        );
      case 'scored':
        return latest ? formats.age(latest.createdAt, now) : '–';
      case 'version':
        return latest?.modelVersion ?? '–';
    }
  }
}

import { describe, expect, test } from 'vitest';
import { readCohortCsv, type CohortLine, type CohortReading } from '../../src/patients/cohort-csv.js';
import { heartDisease } from '../support/heart-disease.js';

const features = new Map(
  heartDisease.features
    .filter(({ code }) => ['age', 'sex', 'chest_pain_type', 'cholesterol', 'st_depression'].includes(code))
    .map((feature) => [feature.code, feature]),
);

/** Reads a text that arrives in parts of some bytes. */
async function read(text: string, reading: Partial<CohortReading> = {}, partBytes = 7): Promise<CohortLine[]> {
  const bytes = Buffer.from(text);
  async function* parts(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
  }
  const lines: CohortLine[] = [];
  for await (const line of readCohortCsv(parts(), { features, ...reading })) lines.push(line);
  return lines;
}

const issuesOf = (lines: readonly CohortLine[]): string[] =>
  lines.flatMap(({ issues }) =>
    issues.map(({ line, column, message }) => `${line}: ${column ? `${column} ` : ''}${message}`),
  );
const mrnsOf = (lines: readonly CohortLine[]): (string | undefined)[] => lines.map(({ row }) => row?.mrn);

describe('a cohort as CSV', () => {
  test.each([
    ['commas', 'mrn,age,cholesterol\nA-1,63,200\n'],
    ['semicolons', 'mrn;age;cholesterol\nA-1;63;200\n'],
    ['tabs', 'mrn\tage\tcholesterol\nA-1\t63\t200\n'],
    ['a byte order mark and Windows line ends', '\ufeffmrn,age,cholesterol\r\nA-1,63,200\r\n'],
    ['another case in its header', 'MRN,Age,CHOLESTEROL\nA-1,63,200\n'],
    ['quotes, blanks and empty lines', '\n"mrn", age ,cholesterol\n\n"A-1", 63 ,"200"\n\n'],
    ['no line end at its end', 'mrn,age,cholesterol\nA-1,63,200'],
  ])('is read with %s', async (_name, text) => {
    expect((await read(text)).map(({ row }) => row)).toEqual([
      {
        mrn: 'A-1',
        features: [
          { code: 'age', value: 63 },
          { code: 'cholesterol', value: 200 },
        ],
      },
    ]);
  });

  test('leaves the value of an empty cell out, and removes it only when it is told to', async () => {
    const text = 'mrn,age,cholesterol\nA-1,63,\n';
    expect((await read(text))[0]!.row!.features).toEqual([{ code: 'age', value: 63 }]);
    expect((await read(text, { clearEmpty: true }))[0]!.row!.features).toEqual([
      { code: 'age', value: 63 },
      { code: 'cholesterol', value: null },
    ]);
  });

  test('names every issue with its line, and reads on', async () => {
    const lines = await read(
      'mrn,age,cholesterol\nA-1,63\nA-2,63,200,1\nA-3,old,5000\n,63,200\nA-4,63,"200,5"\nA-\u200b5,63,200\nA-6,63,200\n',
    );
    expect(issuesOf(lines)).toEqual([
      '2: has 2 cells, and the header has 3',
      '3: has 4 cells, and the header has 3',
      '4: age is not a number',
      '4: cholesterol must be between 50 and 1000 mg/dL',
      '5: mrn is empty',
      '6: cholesterol is not a number: write a point for the comma',
      '7: mrn has characters that cannot be seen',
    ]);
    expect(mrnsOf(lines).at(-1)).toBe('A-6');
  });

  test('is refused at its header', async () => {
    expect(issuesOf(await read('age,cholesterol\n63,200\n'))).toEqual([
      '1: the header needs a column mrn, and a comma, a semicolon or a tab between columns',
    ]);
    expect(issuesOf(await read('mrn,weight\nA-1,3\n'))).toEqual([
      '1: there is no feature weight: choose among age, sex, chest_pain_type, cholesterol, st_depression',
    ]);
    expect(issuesOf(await read('MRN,mrn,age,Age\nA-1,A-1,3,3\n'))).toEqual([
      '1: the column mrn appears 2 times: MRN, mrn',
      '1: the column age appears 2 times: age, Age',
    ]);
  });

  test('needs the columns and the values that the model requires, when it is told to', async () => {
    const requireInputs = true;
    expect(issuesOf(await read('mrn,age,sex\nA-1,63,1\n', { requireInputs }))).toEqual([
      '1: the model requires the column chest_pain_type, which is missing',
    ]);
    expect(issuesOf(await read('mrn,age,sex,chest_pain_type\nA-1,63,1,\n', { requireInputs }))).toEqual([
      '2: chest_pain_type is missing, and the model requires it',
    ]);
  });

  test('is refused at a quote that does not close', async () => {
    const lines = await read('mrn,age\nA-1,63\nA-2,"63\nA-3,63\n');
    expect(issuesOf(lines)).toEqual(['3: has a quote that does not close']);
  });

  test.each([
    ['header', 'm'.repeat(2 * 1024 * 1024), 1],
    ['line', `mrn,age\nA-1,${'6'.repeat(2 * 1024 * 1024)}\n`, 2],
    ['open quote', `mrn,age\nA-1,63\nA-2,"${'6\n'.repeat(1024 * 1024)}`, 3],
  ])('holds no more than the longest line of an endless %s', async (_name, text, line) => {
    const lines = await read(text, {}, 64 * 1024);
    expect(issuesOf(lines)).toEqual([
      `${line}: is longer than 262144 bytes: check its quotes, and that the file is a CSV`,
    ]);
  });

  test('ends its source when the reader stops, and gives the error of the source', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<string> {
      try {
        for (;;) yield 'mrn\nA-1\n';
      } finally {
        ended = true;
      }
    }
    for await (const { row } of readCohortCsv(source(), { features })) {
      expect(row!.mrn).toBe('A-1');
      break;
    }
    await expect.poll(() => ended).toBe(true);
    async function* failing(): AsyncGenerator<string> {
      yield 'mrn\nA-1\n';
      throw new Error('the disk is gone');
    }
    const reading = async (): Promise<void> => {
      for await (const _line of readCohortCsv(failing(), { features }));
    };
    await expect(reading()).rejects.toThrow('the disk is gone');
  });
});

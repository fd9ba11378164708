import type { VNode } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PlotOptions, PlotTable } from '../../src/risk/plots/options.js';
import { useFormats, useTexts } from '../texts/texts.js';
import { Plot } from './plot.js';
import { valueDigits } from './value-text.js';

interface FigureProps {
  /** Name of the files that are downloaded, without an ending. It never tells who a patient is. */
  readonly fileName: string;
  /** Draws the figure as wide as its place, with the numbers of the viewer's language. */
  readonly draw: (options: PlotOptions) => string;
  readonly table: (options: PlotOptions) => PlotTable;
  /** Paints points below the figure. `draw` leaves them out, and `file` has them. */
  readonly points?: (canvas: HTMLCanvasElement, options: PlotOptions) => void;
  readonly file?: (options: PlotOptions) => string;
}

/** A plot of src/risk/plots that takes the width of its place, so that its text keeps its size. */
export function Figure({ fileName, draw, table, points, file }: FigureProps): VNode {
  const formats = useFormats();
  const { plots } = useTexts();
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  const options = useMemo(
    (): PlotOptions => ({
      width: Math.min(1_100, width - 20),
      number: (value, places) => formats.fixed(value, places),
      percent: (share, places) => formats.percent(share, places),
      value: (value) => formats.number(value, valueDigits),
      words: plots,
    }),
    [formats, plots, width],
  );
  return (
    <div ref={place}>
      {width > 0 && (
        <Plot
          fileName={fileName}
          svg={draw(options)}
          table={<TableOf {...table(options)} />}
          points={points && ((canvas) => points(canvas, options))}
          file={file && (() => file(options))}
        />
      )}
    </div>
  );
}

/** The data of a plot as a table. */
function TableOf({ caption, columns, rows }: PlotTable): VNode {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([first, ...cells], index) => (
          <tr key={index}>
            <th scope="row">{first}</th>
            {cells.map((cell, place) => (
              <td key={place}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

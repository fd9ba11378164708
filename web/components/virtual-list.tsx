import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../texts/texts.js';
import { useMedia } from './media.js';

/** One column of a list. */
export interface Column<Row> {
  readonly key: string;
  readonly header: ComponentChildren;
  /** The cell of a row. */
  readonly cell: (row: Row) => ComponentChildren;
  /** Width as CSS grids have it. @defaultValue `minmax(8rem, 1fr)` */
  readonly width?: string;
  /** `number` aligns to the right. */
  readonly class?: string;
  /** Sorted by this column. A header that sorts is a button. */
  readonly sort?: 'ascending' | 'descending' | 'none';
}

interface VirtualListProps<Row> {
  /** The name of the list for a screen reader. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** The rows that were read so far, by their place. */
  readonly rows: { at(index: number): Row | undefined };
  /** Number of all rows. Those that were not read yet are drawn as empty ones. */
  readonly totalCount: number;
  /** @defaultValue the place of the row, for lists in which a row may stand twice */
  readonly keyOf?: (row: Row) => string;
  /** Called when rows come into view, from `first` to `last`: reads further pages. */
  readonly reach?: (last: number, first: number) => void;
  /** Called for Enter and for a click: opens the row. */
  readonly onOpen?: (row: Row) => void;
  /** Height of a row, or of a card with `isCards`, pixels. @defaultValue 40 */
  readonly rowHeight?: number;
  /** Height of the list, as CSS has it. @defaultValue `min(70vh, 48rem)` */
  readonly height?: string;
  readonly foot?: ComponentChildren;
  /**
   * True: each row is a card, which names each of its values, for a narrow window.
   * @defaultValue true in a narrow window, with a line for each value
   */
  readonly isCards?: boolean;
  /** The row that is on top at first, and the call for each other one. */
  readonly top?: number;
  readonly onTop?: (index: number) => void;
}

/** Time without a scroll after which the row on top is told, milliseconds. */
const settleMs = 300;

/** Height of a row with one line, and of each further line of a card, pixels. */
const usualHeight = 40;
const lineHeight = 23;

/** Rows above and below the view that are drawn too, so that a scroll finds them there. */
const spareRows = 8;

/**
 * A list of any length, of which only the rows in view are drawn. The arrow keys, Page Up, Page Down, Home and End move
 * the mark, and Enter opens the marked row.
 */
export function VirtualList<Row>(props: VirtualListProps<Row>): VNode {
  const { label, columns, rows, totalCount, keyOf, reach, onOpen, foot } = props;
  const isNarrow = useMedia('(max-width: 44rem)');
  const { isCards = isNarrow, height = 'min(70vh, 48rem)', onTop } = props;
  // The caller lays out cards of its own. Others have a line for each value.
  const hasLines = isCards && props.isCards === undefined;
  const rowHeight = (props.rowHeight ?? usualHeight) + (hasLines ? lineHeight * (columns.length - 1) : 0);
  const { parts } = useTexts();
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: (props.top ?? 0) * rowHeight, height: 800 });
  const [marked, setMarked] = useState(props.top ?? 0);
  const active = Math.min(marked, totalCount - 1);
  const headHeight = isCards ? 0 : (head.current?.offsetHeight ?? rowHeight);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - spareRows);
  const last = Math.min(totalCount, Math.ceil((view.top + view.height) / rowHeight) + spareRows);
  useLayoutEffect(() => {
    const element = scroller.current!;
    element.scrollTop = view.top;
    const look = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (last > 0) reach?.(last - 1, first);
  }, [first, last, reach]);
  const topRow = Math.floor(view.top / rowHeight);
  useEffect(() => {
    const timer = onTop && setTimeout(() => onTop(topRow), settleMs);
    return () => clearTimeout(timer);
  }, [topRow, onTop]);

  /** Tells the row on top at once: a row is opened before the list has settled. */
  const tellTop = (): void => onTop?.(Math.floor(scroller.current!.scrollTop / rowHeight));

  function mark(index: number): void {
    const next = Math.max(0, Math.min(index, totalCount - 1));
    setMarked(next);
    const element = scroller.current!;
    const top = next * rowHeight;
    const room = element.clientHeight - headHeight - rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top > element.scrollTop + room) element.scrollTop = top - room;
  }
  function press(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: totalCount - 1,
    };
    const move = moves[event.key];
    const row = rows.at(active);
    if (move !== undefined) mark(move);
    else if (event.key === 'Enter' && row !== undefined) {
      tellTop();
      onOpen?.(row);
    } else return;
    event.preventDefault();
  }

  const template = isCards
    ? {}
    : { gridTemplateColumns: columns.map(({ width = 'minmax(8rem, 1fr)' }) => width).join(' ') };
  const drawn = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
  return (
    <div class={`grid ${isCards ? 'cards' : ''}`}>
      <div
        ref={scroller}
        class="grid-scroll"
        role="grid"
        aria-label={label}
        aria-rowcount={totalCount + 1}
        aria-colcount={columns.length}
        aria-activedescendant={active >= first && active < last ? `${id}-${active}` : undefined}
        tabIndex={0}
        style={{ maxHeight: height }}
        onScroll={({ currentTarget }) => setView({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}
        onKeyDown={press}
      >
        <div class="grid-sheet" role="presentation">
          <div ref={head} class="grid-row grid-head" role="row" aria-rowindex={1} style={template}>
            {columns.map((column) => (
              <div
                key={column.key}
                role="columnheader"
                class={`grid-cell ${column.class ?? ''}`}
                aria-sort={column.sort}
              >
                {column.header}
              </div>
            ))}
          </div>
          <div class="grid-body" role="rowgroup" style={{ height: `${totalCount * rowHeight}px` }}>
            {drawn.map((index) => {
              const row = rows.at(index);
              return (
                <div
                  key={row === undefined || !keyOf ? index : keyOf(row)}
                  id={`${id}-${index}`}
                  class={`grid-row ${onOpen ? 'opens' : ''}`}
                  role="row"
                  aria-rowindex={index + 2}
                  data-active={index === active ? '' : undefined}
                  style={{ ...template, height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)` }}
                  onClick={(event) => {
                    setMarked(index);
                    tellTop();
                    const isLink = (event.target as Element).closest('a, button, input, select');
                    if (row !== undefined && !isLink) onOpen?.(row);
                  }}
                >
                  {columns.map((column) => (
                    <div
                      key={column.key}
                      role="gridcell"
                      class={`grid-cell ${hasLines ? 'wide' : ''} ${column.class ?? ''}`}
                    >
                      {isCards && <span class="cell-name">{column.header}</span>}
                      {row === undefined ? '' : column.cell(row)}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <div class="grid-foot">{foot ?? (totalCount === 0 ? parts.empty : parts.rows(String(totalCount)))}</div>
    </div>
  );
}

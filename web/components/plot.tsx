import type { ComponentChildren, RefObject, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../texts/texts.js';

interface PlotProps {
  /** The figure as one SVG element in text form, as the functions of src/risk/plots write it. */
  readonly svg: string;
  /** Name of the files that are downloaded, without an ending. It never tells who a patient is. */
  readonly fileName: string;
  /** The same content as a table. */
  readonly table: ComponentChildren;
  /** Paints points below the figure, which then leaves them out: for figures of many points. */
  readonly points?: (canvas: HTMLCanvasElement) => void;
  /** The figure for files, where `svg` leaves points out. */
  readonly file?: () => string;
}

/** Pixels of the PNG per pixel of the figure, so that it is sharp in print. */
const pngScale = 2;

/** A figure with the table behind it. It can be downloaded as SVG and PNG. */
export function Plot({ svg, fileName, table, points, file = () => svg }: PlotProps): VNode {
  const { parts } = useTexts();
  const [isTable, setTable] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (isTable) return;
    const canvas = points && document.createElement('canvas');
    if (canvas) points(canvas);
    place.current?.replaceChildren(...(canvas ? [canvas] : []), parseSvg(svg));
  }, [svg, isTable]);
  const walk = useMarks(place, svg);
  return (
    <figure class="plot">
      {isTable ? (
        <div class="scroll">{table}</div>
      ) : (
        <>
          <div
            ref={place}
            class="plot-figure"
            role="group"
            aria-label={parts.marks}
            tabIndex={0}
            onKeyDown={walk.press}
          />
          <p class="plot-mark-text" role="status">
            {walk.text}
          </p>
        </>
      )}
      <div class="actions">
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? parts.figure : parts.table}
        </button>
        <button type="button" onClick={() => download(svgFile(file()), `${fileName}.svg`)}>
          {parts.downloadSvg}
        </button>
        <button type="button" onClick={() => void drawPng(file()).then((png) => download(png, `${fileName}.png`))}>
          {parts.downloadPng}
        </button>
      </div>
    </figure>
  );
}

/** Lets the arrow keys walk from mark to mark of a figure. The text of each is read out. */
function useMarks(place: RefObject<HTMLDivElement>, svg: string) {
  const [text, setText] = useState('');
  const current = useRef(-1);
  useLayoutEffect(() => {
    current.current = -1;
    setText('');
  }, [svg]);
  return {
    text,
    press(event: KeyboardEvent): void {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const marks = [...(place.current?.querySelectorAll('.plot-mark') ?? [])];
      if (step === undefined || marks.length === 0) return;
      event.preventDefault();
      marks[current.current]?.classList.remove('current');
      current.current = Math.max(0, Math.min(marks.length - 1, current.current + step));
      const mark = marks[current.current]!;
      mark.classList.add('current');
      setText(mark.querySelector('title')?.textContent ?? '');
    },
  };
}

/** Makes elements of an SVG text. Scripts in it would not run: they are removed, and the policy of the page refuses them. */
function parseSvg(svg: string): Node {
  const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  for (const script of parsed.querySelectorAll('script, foreignObject')) script.remove();
  return document.importNode(parsed, true);
}

const svgFile = (svg: string): Blob => new Blob([svg], { type: 'image/svg+xml' });

/** Draws an SVG text as PNG. */
async function drawPng(svg: string): Promise<Blob> {
  const url = URL.createObjectURL(svgFile(svg));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth * pngScale;
    canvas.height = image.naturalHeight * pngScale;
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!), 'image/png'));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Saves a file by the browser's own way. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

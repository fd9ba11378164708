import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PointGeometry } from '../../src/risk/plots/beeswarm.js';
import type { PlotOptions, PlotTable } from '../../src/risk/plots/options.js';
import { Figure } from './figure.js';

/** Where the points of a figure are, in CSS pixels. */
interface Points {
  readonly sets: readonly PointGeometry[];
  readonly width: number;
  readonly height: number;
  readonly radius: number;
}

interface PointFigureProps {
  readonly fileName: string;
  /** Number of points. From 2,000 on a canvas has them: so many elements would make the page slow. */
  readonly points: number;
  readonly draw: (options: PlotOptions & { readonly withPoints?: boolean }) => string;
  readonly geometry: (options: PlotOptions) => Points;
  readonly table: (options: PlotOptions) => PlotTable;
}

const mostElements = 2_000;

/** A figure of points: as elements while they are few, else on a canvas below the figure. Files have all of them. */
export function PointFigure({ fileName, points, draw, geometry, table }: PointFigureProps): VNode {
  const theme = useThemeChanges();
  if (points < mostElements) return <Figure fileName={fileName} draw={draw} table={table} />;
  return (
    <Figure
      key={theme}
      fileName={fileName}
      draw={(options) => draw({ ...options, withPoints: false })}
      file={(options) => draw(options)}
      points={(canvas, options) => paint(canvas, geometry(options))}
      table={table}
    />
  );
}

/** The colours of the page for each tone, as custom properties. A missing value is a ring. */
const colours = ['--lowers', '--muted', '--raises', '--muted'];
const missing = 3;

function paint(canvas: HTMLCanvasElement, { sets, width, height, radius }: Points): void {
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d')!;
  const styles = getComputedStyle(document.documentElement);
  context.scale(scale, scale);
  for (const [tone, property] of colours.entries()) {
    context.beginPath();
    for (const set of sets)
      for (let index = 0; index < set.x.length; index++) {
        if (set.tone[index] !== tone) continue;
        context.moveTo(set.x[index]! + radius, set.y[index]!);
        context.arc(set.x[index]!, set.y[index]!, radius, 0, 2 * Math.PI);
      }
    context.fillStyle = context.strokeStyle = styles.getPropertyValue(property);
    if (tone === missing) context.stroke();
    else context.fill();
  }
}

/** Rises each time that the page gets other colours. */
function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const changed = (): void => setChanges((count) => count + 1);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', changed);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      dark.removeEventListener('change', changed);
      observer.disconnect();
    };
  }, []);
  return changes;
}

import type { RiskModelManifest } from '../manifest.js';
import { renderBars } from './bars.js';
import { spaceWords } from './output-words.js';
import { englishWords } from './words.js';

type ImportanceInput = Pick<
  RiskModelManifest,
  'name' | 'version' | 'outputSpace' | 'quantity' | 'features' | 'globalImportance'
>;

/**
 * Draws a model's global importance (mean |SHAP value| by feature, largest first) as a self-contained SVG. The figure
 * says so when a bundle has none.
 */
export function renderImportancePlot(manifest: ImportanceInput): string {
  const importance = manifest.globalImportance ?? {};
  const nothing = 'The model gives no global importance.';
  return renderBars(
    {
      title: `${manifest.name} ${manifest.version}: how much each feature moves the output`,
      subtitle: 'The larger, the more the feature moves the output, up or down.',
      unit: `mean |SHAP value| over the training rows (${spaceWords(manifest, englishWords)})`,
      rows: manifest.features.flatMap(({ code, label }) =>
        code in importance ? [{ label, value: importance[code]! }] : [],
      ),
    },
    { words: { ...englishWords, nothing } },
  );
}

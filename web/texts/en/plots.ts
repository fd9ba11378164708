/** Words that plots write: those of src/risk/plots. */
export { englishWords as plots } from '../../../src/risk/plots/words.js';

export type { ExplainerOptions, InteractionExplainer, TreeExplainer } from './explainer.js';
export { createInteractionExplainer } from './interactions.js';
export { createReferenceInterventionalExplainer as createInterventionalExplainer } from './reference/interventional.js';
export { createPathDependentExplainer } from './path-dependent.js';

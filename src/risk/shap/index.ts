export type { CompiledExplainer, ExplainerOptions, InteractionExplainer, TreeExplainer } from './explainer.js';
export { createInteractionExplainer } from './interactions.js';
export { createInterventionalExplainer } from './interventional.js';
export { createPathDependentExplainer } from './path-dependent.js';

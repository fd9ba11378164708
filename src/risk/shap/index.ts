export type { TreeExplainer } from './explainer.js';
export { createInterventionalExplainer } from './interventional.js';
export { createPathDependentExplainer } from './path-dependent.js';

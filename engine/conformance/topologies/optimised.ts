import type { TopologyFamily } from './family.ts';

/** Programs under `topologyOptimization: all`. */
export const optimised: TopologyFamily = {};

import type { TopologyFamily } from './family.ts';

/** Programs with record caches. */
export const cached: TopologyFamily = {};

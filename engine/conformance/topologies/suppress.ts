import type { TopologyFamily } from './family.ts';

/** `suppress`, both kinds. */
export const suppress: TopologyFamily = {};

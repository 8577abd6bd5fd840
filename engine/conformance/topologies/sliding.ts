import type { TopologyFamily } from './family.ts';

/** Sliding and unlimited windows. */
export const sliding: TopologyFamily = {};

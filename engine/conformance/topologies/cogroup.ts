import type { TopologyFamily } from './family.ts';

/** Cogrouped streams. */
export const cogroup: TopologyFamily = {};

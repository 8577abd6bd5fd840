import type { TopologyFamily } from './family.ts';

/** Versioned tables and joins with grace. */
export const versioned: TopologyFamily = {};

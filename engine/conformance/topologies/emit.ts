import type { TopologyFamily } from './family.ts';

/** Emission on window close. */
export const emit: TopologyFamily = {};

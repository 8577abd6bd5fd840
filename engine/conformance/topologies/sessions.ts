import type { TopologyFamily } from './family.ts';

/** Session windows. */
export const sessions: TopologyFamily = {};

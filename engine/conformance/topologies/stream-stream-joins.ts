import type { TopologyFamily } from './family.ts';

/** Stream–stream joins. */
export const streamStreamJoins: TopologyFamily = {};

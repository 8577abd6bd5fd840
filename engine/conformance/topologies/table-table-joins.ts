import type { TopologyFamily } from './family.ts';

/** Table–table joins. */
export const tableTableJoins: TopologyFamily = {};

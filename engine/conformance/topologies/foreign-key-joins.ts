import type { TopologyFamily } from './family.ts';

/** Foreign-key joins. */
export const foreignKeyJoins: TopologyFamily = {};

import { aggregations } from './aggregations.ts';
import { cached } from './cached.ts';
import { cogroup } from './cogroup.ts';
import { emit } from './emit.ts';
import type { TopologyFamily } from './family.ts';
import { foreignKeyJoins } from './foreign-key-joins.ts';
import { optimised } from './optimised.ts';
import { processorApi } from './processor-api.ts';
import { programs } from './programs.ts';
import { sessions } from './sessions.ts';
import { sliding } from './sliding.ts';
import { streamStreamJoins } from './stream-stream-joins.ts';
import { streamTableJoins } from './stream-table-joins.ts';
import { structure } from './structure.ts';
import { suppress } from './suppress.ts';
import { tableTableJoins } from './table-table-joins.ts';
import { versioned } from './versioned.ts';
import { windows } from './windows.ts';

const families: readonly TopologyFamily[] = [
  aggregations,
  cached,
  cogroup,
  emit,
  foreignKeyJoins,
  optimised,
  processorApi,
  programs,
  sessions,
  sliding,
  streamStreamJoins,
  streamTableJoins,
  structure,
  suppress,
  tableTableJoins,
  versioned,
  windows,
];

/** Every topology of the comparison, by the name that the vectors and the Java oracle use. */
export const topologies: TopologyFamily = Object.assign({}, ...families);

import type { Params } from './topologies/family.ts';

/** A place where we do something else than Kafka Streams on purpose. */
export interface Deviation {
  /** For the parity document. */
  readonly title: string;
  readonly reason: string;
  /** Topologies and parameters that it shows in. */
  readonly applies: (topology: string, params: Params) => boolean;
  /** Our rule: the same input gives what these parameters give. */
  readonly comparedWith: (params: Params) => Params;
  /** How far it goes: default: all outputs. `newest outputs`: of each key the newest of each step; a cache says how many come before. */
  readonly depth?: 'outputs' | 'newest outputs';
}

/** Retention that no input here reaches. */
const AMPLE_RETENTION_MS = 100_000;

/** Enough for what one commit changes. */
const AMPLE_CACHE_BYTES = 100_000;

/** Deviations that runs show; `other-deviations.ts` lists those that they cannot. */
export const deviations: readonly Deviation[] = [
  {
    title: 'Emission on window close with the default retention',
    reason:
      'Kafka Streams loses closed windows when stream time jumps: the store has dropped them before they are emitted. We emit them first, so a run with the default retention gives what ample retention gives.',
    applies: (topology, params) => topology.includes('emit-on-close') && params['retention'] === 0,
    comparedWith: (params) => ({ ...params, retention: AMPLE_RETENTION_MS }),
  },
  {
    title: 'Windows that leave a record cache while they are read',
    reason:
      'A sliding window that is evicted between the beginning and the end of one read is missing from it, or old, in Kafka Streams, so that updates are lost under a cache too small for the windows of one record. We lose none: every commit leaves the windows that an ample cache leaves.',
    applies: (topology, { cacheBytes = 0 }) =>
      topology === 'cached-sliding' && cacheBytes > 0 && cacheBytes < AMPLE_CACHE_BYTES,
    comparedWith: (params) => ({ ...params, cacheBytes: AMPLE_CACHE_BYTES }),
    depth: 'newest outputs',
  },
];

/** The deviation that a run shows, if any. */
export function deviationOf(topology: string, params: Params): Deviation | undefined {
  return deviations.find((deviation) => deviation.applies(topology, params));
}

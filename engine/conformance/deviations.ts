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
}

/** Retention that no input here reaches. */
const ampleRetentionMs = 100_000;

/** Deviations that runs show; `other-deviations.ts` lists those that they cannot. */
export const deviations: readonly Deviation[] = [
  {
    title: 'Emission on window close with the default retention',
    reason:
      'Kafka Streams loses closed windows when stream time jumps: the store has dropped them before they are emitted. We emit them first, so a run with the default retention gives what ample retention gives.',
    applies: (topology, params) => topology.includes('emit-on-close') && params['retention'] === 0,
    comparedWith: (params) => ({ ...params, retention: ampleRetentionMs }),
  },
];

/** The deviation that a run shows, if any. */
export function deviationOf(topology: string, params: Params): Deviation | undefined {
  return deviations.find((deviation) => deviation.applies(topology, params));
}

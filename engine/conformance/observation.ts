import type { StoreEntry } from './vectors.ts';

/** A record as it lies in a topic. */
export interface WrittenRecord {
  readonly step: number;
  readonly topic: string;
  readonly keyHex: string | null;
  readonly valueHex: string | null;
  /** Null where the producer leaves it to the broker's or its own clock. */
  readonly timestamp: number | null;
  /** Absent where there are none. */
  readonly headers?: readonly { readonly key: string; readonly valueHex: string | null }[];
}

/** All that can be seen of a topology which ran a list of steps: the same form from our engine and from Kafka Streams. */
export interface Observation {
  readonly describe?: string;
  readonly internalTopics?: string;
  /** By step; inside a step by topic; inside a topic as written. */
  readonly records?: readonly WrittenRecord[];
  readonly stores?: { readonly [name: string]: readonly StoreEntry[] };
  /** What went wrong while building or running. */
  readonly error?: string;
}

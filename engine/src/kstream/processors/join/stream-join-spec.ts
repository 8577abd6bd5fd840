import type { Serde } from '../../../serde/serde.ts';
import type { JoinWindows } from '../../windows/join-windows.ts';

/** Makes a result of a left and a right value; either may be null in outer joins. */
export type StreamJoiner<K, V1, V2, VOut> = (left: V1, right: V2, key: K) => VOut;

/** A window store of a join, which keeps the records of one side. */
export interface JoinWindowStore<K, V> {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Of the side's keys. */
  readonly keySerde: Serde<K>;
  /** Of the side's values. */
  readonly valueSerde: Serde<V>;
}

/** A stream joined with a stream, as its processors see it. */
export interface StreamJoinSpec<K, V1, V2, VOut> {
  /** How far apart in time partners may be. */
  readonly windows: JoinWindows;
  /** The user's function; a value is null where a record has no partner. */
  readonly joiner: StreamJoiner<K, V1, V2, VOut>;
  /** Store of the left side's records. */
  readonly left: JoinWindowStore<K, V1>;
  /** Store of the right side's records. */
  readonly right: JoinWindowStore<K, V2>;
  /** Name of the store of unmatched records; undefined for inner joins. */
  readonly unmatchedStoreName: string | undefined;
  /** Whether left records without a partner are results. */
  readonly leftOuter: boolean;
  /** Whether right records without a partner are results. */
  readonly rightOuter: boolean;
}

/** Whether a joiner may look at the key: one that declares two parameters doesn't, so the key is not decoded for it. */
export function readsKey(joiner: (...args: never[]) => unknown): boolean {
  return joiner.length !== 2;
}

import type { Serde } from '../../../serde/serde.ts';
import type { JoinWindows } from '../../windows/join-windows.ts';

/** Makes a result of a left and a right value; either may be null in outer joins. */
export type StreamJoiner<K, V1, V2, VOut> = (left: V1, right: V2, key: K) => VOut;

/** A window store of a join, which keeps the records of one side. */
export interface JoinWindowStore<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
}

/** A stream joined with a stream, as its processors see it. */
export interface StreamJoinSpec<K, V1, V2, VOut> {
  readonly windows: JoinWindows;
  readonly joiner: StreamJoiner<K, V1, V2, VOut>;
  readonly left: JoinWindowStore<K, V1>;
  readonly right: JoinWindowStore<K, V2>;
  /** Name of the store of unmatched records; undefined for inner joins. */
  readonly unmatchedStoreName: string | undefined;
  /** Whether left records without a partner are results, and right ones. */
  readonly leftOuter: boolean;
  readonly rightOuter: boolean;
}

/** Whether a joiner may look at the key: one that declares two parameters doesn't, so the key is not decoded for it. */
export function readsKey(joiner: (...args: never[]) => unknown): boolean {
  return joiner.length !== 2;
}

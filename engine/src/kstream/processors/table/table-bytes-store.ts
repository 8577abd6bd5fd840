import type { BinaryKey } from '../../../base/bytes.ts';
import type { ProcessorContext } from '../../../processor/processor.ts';
import type { KeyValueStore } from '../../../state/key-value-store.ts';
import type { StateStore, StoredValue, StoredView } from '../../../state/state-store.ts';
import { NOT_PUT, VALID_TO_UNDEFINED } from '../../../state/versioned/versioned-bytes-store.ts';
import type { VersionedKeyValueStore } from '../../../state/versioned-store.ts';
import type { Change } from './change.ts';

/** What a table's nodes use of the store that keeps it, key-value or versioned. */
export interface TableBytesStore extends StateStore {
  /** The newest value of a key, copied. */
  get(key: BinaryKey): StoredValue | undefined;
  /** The newest value where it lies, valid until the next call; stores on disk or behind a cache have none of this. */
  peek?(key: BinaryKey): StoredView | undefined;
  /** Versioned stores answer until when the value counts; {@link wasPut} reads it. */
  put(key: BinaryKey, value: Buffer | null, timestampMs: number): unknown;
}

/** The bytes store of a table. */
export function tableBytes(context: ProcessorContext<never, never>, name: string): TableBytesStore {
  return context.getStateStore<KeyValueStore<unknown, unknown> | VersionedKeyValueStore<unknown, unknown>>(name).bytes;
}

/** Marks the change by what a put answered; false where nothing was put, so that nothing may be forwarded. */
export function wasPut<V>(answer: unknown, change: Change<V>): boolean {
  if (typeof answer !== 'number') return true;
  change.isLatest = answer === VALID_TO_UNDEFINED;
  return answer !== NOT_PUT;
}

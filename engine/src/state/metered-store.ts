import { type BinaryKey, binaryKey, bytesOf } from '../base/bytes.ts';
import type { RecordBatch } from '../base/record-batch.ts';
import type { Serde } from '../serde/serde.ts';
import { OpenIterators } from './open-iterators.ts';
import type { StateStore, StateStoreContext, StoredValue } from './state-store.ts';

/**
 * What all typed stores share: they put serdes before a bytes store and leave everything else to it. `V` is the value serde's
 * type, `S` what users put and get (plain or with a timestamp).
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: the typed stores that extend it.
 * Invariants: I1 serdes see the changelog topic's name, as in Kafka Streams; I2 null and undefined never reach a serde.
 */
export abstract class MeteredStore<B extends StateStore, K, V, S> implements StateStore {
  /** The store that keeps the entries, with its cache where it has one. */
  readonly bytes: B;
  /** Makes the bytes of keys. Queries and DSL nodes use it to write the very keys that the store has. */
  readonly keySerde: Serde<K>;
  /** Makes the bytes of values, without the timestamp that some stores hand out with them. */
  readonly valueSerde: Serde<V>;
  /** What user code has open. */
  openIterators = new OpenIterators();
  /** The task's; undefined until the store is open. */
  protected context: StateStoreContext | undefined;
  /** What serdes are told: the changelog's name. */
  protected topic: string;

  /** The changelog is called `<name>-changelog` for the serdes until `open` says the application's id. */
  constructor(bytes: B, keySerde: Serde<K>, valueSerde: Serde<V>) {
    this.bytes = bytes;
    this.keySerde = keySerde;
    this.valueSerde = valueSerde;
    this.topic = `${bytes.name}-changelog`;
  }

  /** @internal What users get for a stored value. */
  abstract toUser(stored: StoredValue): S;
  /** What is stored for what a user puts; null deletes. */
  protected abstract toBytes(value: S): Buffer | null;
  /** The time that a put is stored and logged with, epoch ms. */
  protected abstract timestampOf(value: S): number;

  /** @internal The bytes of a key. Throws TypeError where there is no key. */
  binary(key: K): BinaryKey {
    if (key === null || key === undefined) throw new TypeError(`State store ${this.name}: the key may not be null`);
    return binaryKey(this.keySerde.serialize(key, this.topic));
  }

  /** @internal The bytes of the end of a range; undefined where it is open. */
  bound(key: K | undefined): BinaryKey | undefined {
    return key === undefined || key === null ? undefined : this.binary(key);
  }

  /** @internal The key that these bytes stand for. */
  keyOf(binary: BinaryKey): K {
    const bytes = bytesOf(binary);
    return this.keySerde.deserialize(bytes, 0, bytes.length, this.topic);
  }

  get name(): string {
    return this.bytes.name;
  }

  get persistent(): boolean {
    return this.bytes.persistent;
  }

  get isOpen(): boolean {
    return this.bytes.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.bytes.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.bytes.lastDurableMs;
  }

  get isDirty(): boolean {
    return this.bytes.isDirty === true;
  }

  get wantsCommit(): boolean {
    return this.bytes.wantsCommit === true;
  }

  open(context: StateStoreContext): void {
    this.context = context;
    this.topic = `${context.applicationId}-${this.name}-changelog`;
    this.openIterators.tell(context.metrics, { 'task-id': context.taskId, 'store-name': this.name });
    this.bytes.open(context);
  }

  /** Makes this a second view of what `store`, which is open, keeps. */
  protected view(store: MeteredStore<B, K, V, unknown>): this {
    this.context = store.context;
    this.topic = store.topic;
    this.openIterators = store.openIterators;
    return this;
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    this.bytes.restore(batch, nextOffset);
  }

  flush(): void {
    this.bytes.flush();
  }

  commit(changelogOffset: number | undefined): void {
    this.bytes.commit(changelogOffset);
  }

  rollback(): boolean {
    return this.bytes.rollback();
  }

  close(): void {
    this.bytes.close();
  }

  wipe(): void {
    this.bytes.wipe();
  }
}

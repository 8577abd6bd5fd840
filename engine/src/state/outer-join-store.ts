import { type BinaryKey, bytesOf } from '../base/bytes.ts';
import { bytes } from '../serde/primitives.ts';
import type { Serde } from '../serde/serde.ts';
import { MeteredStore } from './metered-store.ts';
import type { KeyValueBytesStore, StateStoreContext, StoreBuilder, StoredValue, StoreIterator } from './state-store.ts';
import { Stores } from './stores.ts';

const SIDE_AT = 8;
const RECORD_KEY_AT = 9;
const LEFT_SIDE = '\u0001';
const RIGHT_SIDE = '\u0000';
const TWO_TO_THE32 = 4_294_967_296;

/** Java's list serde with entries of any length: this byte, the count, then each entry's length and bytes. */
const VARIABLE_LENGTHS = 1;
const LIST_HEAD_BYTES = 5;
const LENGTH_BYTES = 4;
/** In front of each value: which side it is of. */
const VALUE_SIDE_BYTES = 1;

const timeScratch = Buffer.alloc(SIDE_AT);

/** Key of the unmatched records of one key, side and time: time (8 bytes), side, record key. */
function unmatchedKey(timestampMs: number, isLeft: boolean, key: BinaryKey): BinaryKey {
  const high = Math.floor(timestampMs / TWO_TO_THE32);
  timeScratch.writeInt32BE(high, 0);
  timeScratch.writeUInt32BE(timestampMs - high * TWO_TO_THE32, 4);
  return (timeScratch.latin1Slice(0, SIDE_AT) + (isLeft ? LEFT_SIDE : RIGHT_SIDE) + key) as BinaryKey;
}

/**
 * What both sides of a join know about time: that of the stream, which either side moves on, and how old the oldest unmatched
 * record may be.
 */
class JoinTimes {
  /** The highest timestamp of either side. */
  streamTimeMs = -1;
  /** No unmatched record is older, as far as is known; undefined: none was seen since the last look into the store. */
  minTimeMs: number | undefined;
  /** Wall clock from which on the store may be looked through again. */
  nextEmitMs = 0;
}

/**
 * Records of a left or outer join that found no partner yet, of both sides, by time: the lists that Kafka Streams keeps, in its
 * bytes.
 *
 * Owns: the times that both sides share; the records are in `bytes`.
 * Called by: the two sides of one join in one task.
 * Invariants: I1 records come by time, right before left, then by key, and equal ones in the order of their arrival; I2 the
 * changelog holds the whole list of a key after each change, or a tombstone.
 */
export class OuterJoinStore extends MeteredStore<KeyValueBytesStore, Buffer, Buffer, Buffer> {
  #times = new JoinTimes();

  /** The times that both sides of the join share; new ones since the store was opened. */
  get times(): JoinTimes {
    return this.#times;
  }

  override open(context: StateStoreContext): void {
    this.#times = new JoinTimes();
    super.open(context);
  }

  /** Adds the value `[start, end)` to the list of its key. */
  add(
    timestampMs: number,
    isLeft: boolean,
    key: BinaryKey,
    value: { buffer: Buffer; start: number; end: number },
  ): void {
    const at = unmatchedKey(timestampMs, isLeft, key);
    const before = this.bytes.get(at)?.value;
    const length = value.end - value.start;
    const used = before?.length ?? LIST_HEAD_BYTES;
    const list = Buffer.allocUnsafe(used + LENGTH_BYTES + VALUE_SIDE_BYTES + length);
    if (before === undefined) {
      list[0] = VARIABLE_LENGTHS;
      list.writeInt32BE(1, 1);
    } else {
      before.copy(list);
      list.writeInt32BE(before.readInt32BE(1) + 1, 1);
    }
    list.writeInt32BE(VALUE_SIDE_BYTES + length, used);
    list[used + LENGTH_BYTES] = isLeft ? 1 : 0;
    value.buffer.copy(list, used + LENGTH_BYTES + VALUE_SIDE_BYTES, value.start, value.end);
    this.bytes.put(at, list, this.#nowMs);
  }

  /** Removes the list of a record that has found its partner, if there is one. */
  matched(timestampMs: number, isLeft: boolean, key: BinaryKey): void {
    const at = unmatchedKey(timestampMs, isLeft, key);
    if (this.bytes.get(at) !== undefined) this.delete(at);
  }

  /** Removes a list by its key in the store ({@link OuterJoinStore.all} answers it): its records have been emitted. */
  delete(key: BinaryKey): void {
    this.bytes.put(key, null, this.#nowMs);
  }

  /** All lists; the entry is reused between steps. */
  all(): UnmatchedLists {
    return new UnmatchedLists(this.bytes.range(undefined, undefined, 'forward'));
  }

  get #nowMs(): number {
    return this.context?.timestampMs() ?? 0;
  }

  toUser(stored: StoredValue): Buffer {
    return stored.value;
  }

  protected toBytes(value: Buffer): Buffer {
    return value;
  }

  protected timestampOf(): number {
    return this.#nowMs;
  }
}

/**
 * Goes through the lists of unmatched records by time.
 *
 * Owns: the iterator of the store. Called by: a side of the join; must be closed.
 * Invariants: I1 the fields tell of the list that the last `next` answered true for.
 */
class UnmatchedLists {
  /** Key of the list in the store: time, side and record key. */
  storeKey = '' as BinaryKey;
  /** Time of the list's records, epoch ms. */
  timestampMs = 0;
  /** Whether the records are of the left side. */
  isLeft = false;
  #list: Buffer | undefined;
  readonly #entries: StoreIterator<BinaryKey>;

  constructor(entries: StoreIterator<BinaryKey>) {
    this.#entries = entries;
  }

  /** Goes on to the next list; false where there is none. */
  next(): boolean {
    const step = this.#entries.next();
    if (step.done === true) return false;
    const { key, value } = step.value;
    this.storeKey = key;
    timeScratch.latin1Write(key, 0, SIDE_AT);
    this.timestampMs = timeScratch.readInt32BE(0) * TWO_TO_THE32 + timeScratch.readUInt32BE(4);
    this.isLeft = key[SIDE_AT] === LEFT_SIDE;
    this.#list = value;
    return true;
  }

  /** How many records are in the list. */
  get count(): number {
    return (this.#list as Buffer).readInt32BE(1);
  }

  /** Bytes of the records' key. */
  recordKey(): Buffer {
    return bytesOf(this.storeKey.slice(RECORD_KEY_AT) as BinaryKey);
  }

  /** The values of the list, in the order of their arrival. */
  values(): Buffer[] {
    const list = this.#list as Buffer;
    const values: Buffer[] = [];
    let at = LIST_HEAD_BYTES;
    for (let left = this.count; left > 0; left -= 1) {
      const end = at + LENGTH_BYTES + list.readInt32BE(at);
      values.push(list.subarray(at + LENGTH_BYTES + VALUE_SIDE_BYTES, end));
      at = end;
    }
    return values;
  }

  /** Closes the store's iterator; needed where the walk ends before `next` answered false. */
  close(): void {
    this.#entries.close();
  }
}

/** The store of unmatched records, in memory or on disk. */
export function outerJoinStoreBuilder(options: {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Whether the lists lie in memory or on disk. */
  readonly store: 'memory' | 'persistent';
  /** Whether a changelog lets records that wait for a partner survive a restart. */
  readonly loggingEnabled: boolean;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig: Readonly<Record<string, string>>;
}): StoreBuilder<OuterJoinStore> {
  const raw: Serde<Buffer> = bytes();
  const inner = Stores.keyValueStoreBuilder({ ...options, key: raw, value: raw });
  return Object.freeze({ ...inner, build: () => new OuterJoinStore(inner.build().bytes, raw, raw) });
}

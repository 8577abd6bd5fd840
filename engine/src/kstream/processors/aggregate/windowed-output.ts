import type { BinaryKey } from '../../../base/bytes.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import { Change } from '../table/change.ts';

const TIME_BYTES = 8;
const TWO_TO_THE32 = 4_294_967_296;

/**
 * The output record of a windowed aggregation. Its key is made as bytes, so that windowed sinks write them as they are, and others
 * decode them when they look.
 *
 * Owns: the record, its change, and the key bytes, which grow with the longest key.
 * Called by: the windowed aggregate processors.
 * Invariants: I1 the key is that of the last `setWindow` or `setSession`.
 */
export class WindowedOutput<K, A> {
  /** The change that {@link WindowedOutput.record} carries. */
  readonly change = new Change<A>();
  /** The record to forward; filled again for each window. */
  readonly record = new Record<Windowed<K>, Change<A>>(null as unknown as Windowed<K>, this.change, 0);
  readonly #windowedSerde: Serde<Windowed<K>>;
  #topic = '';
  #bytes = Buffer.allocUnsafe(64);

  constructor(windowedSerde: Serde<Windowed<K>>) {
    this.#windowedSerde = windowedSerde;
  }

  /** Topic that serdes of user keys are told. */
  open(topic: string): void {
    this.#topic = topic;
  }

  /** Makes the record's key that of a window: record key and start. */
  setWindow(key: BinaryKey, startMs: number): void {
    const end = this.#start(key, TIME_BYTES);
    this.#writeMs(startMs, key.length);
    this.record.keyDatum.setBytes(this.#bytes, 0, end, this.#windowedSerde, this.#topic, true);
  }

  /** Makes the record's key that of a session: record key, end, start. */
  setSession(key: BinaryKey, startMs: number, endMs: number): void {
    const end = this.#start(key, 2 * TIME_BYTES);
    this.#writeMs(endMs, key.length);
    this.#writeMs(startMs, key.length + TIME_BYTES);
    this.record.keyDatum.setBytes(this.#bytes, 0, end, this.#windowedSerde, this.#topic, true);
  }

  #start(key: BinaryKey, suffixBytes: number): number {
    const length = key.length + suffixBytes;
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafe(2 * length);
    this.#bytes.latin1Write(key, 0, key.length);
    return length;
  }

  #writeMs(ms: number, position: number): void {
    const high = Math.floor(ms / TWO_TO_THE32);
    this.#bytes.writeInt32BE(high, position);
    this.#bytes.writeUInt32BE(ms - high * TWO_TO_THE32, position + 4);
  }
}

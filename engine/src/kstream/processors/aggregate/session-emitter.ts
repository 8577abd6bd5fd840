import type { Record } from '../../../processor/record.ts';
import type { SessionBytesStore } from '../../../state/state-store.ts';
import { CloseSchedule, type EmittingNode } from './close-schedule.ts';

/**
 * Emits sessions once they have closed, by end, then key. As with `WindowEmitter`, sessions that a put is about to make the store
 * forget are emitted before it.
 *
 * Owns: how far it has emitted.
 * Called by: the session aggregate processor. Invariants: I1 no session is emitted twice; I2 none is forgotten unemitted.
 */
export class SessionEmitter<K, A> {
  readonly #node: EmittingNode<K, A, SessionBytesStore>;
  readonly #schedule: CloseSchedule;
  /** Sessions that end here or earlier were emitted ahead of the schedule. */
  #rescuedToMs = -1;

  constructor(node: EmittingNode<K, A, SessionBytesStore>) {
    this.#node = node;
    this.#schedule = new CloseSchedule(node.context, node.storeName);
  }

  /** Before the put of a session that ends at `endMs`, when those merged into it are gone. */
  beforePut(record: Record<unknown, unknown>, endMs: number): void {
    const { store } = this.#node;
    const toMs = endMs - store.retentionMs;
    if (toMs < 0 || endMs <= store.observedStreamTimeMs) return;
    this.#emit(record, toMs);
    this.#rescuedToMs = toMs;
  }

  /** After a record was folded. `closeMs`: sessions that end before take no more records. */
  afterRecord(record: Record<unknown, unknown>, closeMs: number): void {
    const schedule = this.#schedule;
    if (!schedule.isDue(closeMs)) return;
    const toMs = closeMs - 1;
    if (toMs < 0 || toMs < schedule.lastCloseMs) return;
    this.#emit(record, toMs);
    schedule.emitted(closeMs);
  }

  #emit(record: Record<unknown, unknown>, toMs: number): void {
    const { store, output, valueSerde, topic, context } = this.#node;
    const fromMs = Math.max(0, this.#schedule.lastCloseMs, this.#rescuedToMs + 1);
    if (fromMs > toMs) return;
    let count = 0;
    for (const { key, value } of store.findByEnd(fromMs, toMs)) {
      output.setSession(key.key, key.startMs, key.endMs);
      output.change.newDatum.setBytes(value, 0, value.length, valueSerde, topic, true);
      output.change.oldDatum.setNull();
      output.record.timestamp = key.endMs;
      output.record.inheritHeaders(record);
      context.forward(output.record);
      count += 1;
    }
    this.#schedule.count(count);
  }
}

import type { RecordQueue } from './record-queue.ts';

/**
 * Which of several queues goes next: the one whose head is the oldest. A binary heap, because Kafka Streams keeps its partitions in
 * one: among heads of the same time the heap decides, and with it the order of results.
 *
 * Owns: the queues that hold records. Called by: PartitionGroup.
 * Invariants: I1 a queue is here while it holds records, once; I2 no queue is older than its parent in the heap.
 */
export class QueueOrder {
  readonly #heap: RecordQueue[] = [];

  /** The queue that goes next; undefined when all are empty. */
  get next(): RecordQueue | undefined {
    return this.#heap[0];
  }

  /** Takes in a queue that holds records; its head must be known. */
  add(queue: RecordQueue): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(queue);
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = heap[above] as RecordQueue;
      if (queue.headTimestampMs >= parent.headTimestampMs) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = queue;
  }

  /** Takes the next queue out; it comes back by `add` when it still holds records. */
  takeNext(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    const inner = heap.length >>> 1;
    let place = 0;
    while (place < inner) {
      let below = 2 * place + 1;
      let child = heap[below] as RecordQueue;
      const right = heap[below + 1];
      if (right !== undefined && child.headTimestampMs > right.headTimestampMs) {
        below += 1;
        child = right;
      }
      if (last.headTimestampMs <= child.headTimestampMs) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }

  /** Takes a queue out that was emptied without being processed. */
  remove(queue: RecordQueue): void {
    const others = this.#heap.filter((each) => each !== queue);
    if (others.length === this.#heap.length) return;
    this.#heap.length = 0;
    for (const each of others) this.add(each);
  }
}

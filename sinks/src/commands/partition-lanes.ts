/** One record on its way to a partition. */
export interface LaneMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly message: LaneMessage;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes of one send: brokers refuse a batch above 1 MB, and with it every request in it; a quarter is left for what kafkajs adds. */
export const SEND_BYTES_MAX = 768 * 1024;
/** What a record has beside key and value: offsets, lengths, and a `traceparent`. */
const RECORD_OVERHEAD_BYTES = 128;

/**
 * Sends records of one partition at a time and in order; whatever arrives while a send is in flight leaves together with the
 * next one. A send that spans partitions of several brokers may lose acknowledged records when one of them dies, so none does.
 *
 * Owns: a queue per partition.
 * Called by: the command gateway.
 * Invariants: I1 at most one send a partition is in flight; I2 records of a partition leave in the order of `push`;
 * I3 every `push` settles when `send` settles; I4 a send has at most SEND_BYTES_MAX bytes, or a single record.
 */
export class PartitionLanes {
  readonly #send: (partition: number, messages: readonly LaneMessage[]) => Promise<void>;
  readonly #queues = new Map<number, Waiting[]>();
  readonly #busy = new Set<number>();

  constructor(send: (partition: number, messages: readonly LaneMessage[]) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves when the record is acknowledged; rejects with what `send` rejected with. */
  push(partition: number, message: LaneMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(partition);
      if (queue === undefined) this.#queues.set(partition, [{ message, resolve, reject }]);
      else queue.push({ message, resolve, reject });
      if (!this.#busy.has(partition)) void this.#drain(partition);
    });
  }

  async #drain(partition: number): Promise<void> {
    this.#busy.add(partition);
    const queue = this.#queues.get(partition) as Waiting[];
    while (queue.length > 0) {
      const batch = queue.splice(0, fitting(queue));
      try {
        await this.#send(
          partition,
          batch.map((waiting) => waiting.message),
        );
        for (const waiting of batch) waiting.resolve();
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    this.#busy.delete(partition);
  }
}

/** How many records from the front of the queue fit into one send; at least one. */
function fitting(queue: readonly Waiting[]): number {
  let bytes = 0;
  const tooMany = queue.findIndex(({ message }) => {
    bytes += message.key.length + message.value.length + RECORD_OVERHEAD_BYTES;
    return bytes > SEND_BYTES_MAX;
  });
  return tooMany === -1 ? queue.length : Math.max(1, tooMany);
}

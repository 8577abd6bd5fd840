import type { TopicPartitionKey } from '../../../base/record-batch.ts';
import type { EncodedBatch, ProduceResult } from '../../broker.ts';
import { splitBatch } from '../../split-batch.ts';

/** Sequences are int32 and start again at 0 after the largest. */
const SEQUENCE_MODULUS = 2 ** 31;

/** A batch between `produce` and its acknowledgement. */
export interface PendingBatch {
  /** The sealed batch; its buffer is the pool's again after `settle`. */
  readonly batch: EncodedBatch;
  /** The partition that it goes to. */
  readonly queue: ProducerQueue;
  /** Monotonic time after which it isn't tried again. */
  readonly deadlineMs: number;
  /** Tells the caller of `produce` what became of it, once. */
  readonly settle: (result: ProduceResult) => void;
  /** Sequence of its first record; -1 until it is sent for the first time. */
  sequence: number;
  /** Why its last attempt failed: the reason that the caller is told after the deadline. */
  lastError: Error | undefined;
}

/**
 * The batches of one partition in their order.
 *
 * Owns: sequences, batches not sent yet or to be sent again, what is known of the topic's limit. Called by: {@link WireProducer}.
 * Invariants: I1 `waiting` is in order of the produce calls, those with a sequence first; I2 after a failure nothing is sent
 * until everything in flight has come back, so that a retry can't overtake or be overtaken; I3 before the first acknowledgement
 * under a producer id only one batch is in flight.
 */
export class ProducerQueue {
  /** The topic's name. */
  readonly topic: string;
  /** Number within the topic. */
  readonly partition: number;
  /** Topic and partition as one key. */
  readonly key: TopicPartitionKey;
  /** Batches to be sent, for the first time or again. */
  readonly waiting: PendingBatch[] = [];
  /** Batches that were sent and not answered. */
  inFlight = 0;
  /** After a failure: nothing is sent until everything in flight has come back. */
  isDraining = false;
  /** Monotonic time before which nothing is sent. */
  retryAtMs = 0;
  /** Failed attempts in a row. */
  failures = 0;
  /** Monotonic time since which the cluster says that there is no such topic; undefined: it does not. */
  unknownSinceMs: number | undefined;
  /** The smallest batch that the topic refused: its limit lies below. Forgotten only with the producer. */
  #refusedBytes = Number.POSITIVE_INFINITY;
  #nextSequence = 0;
  /**
   * Whether the broker knows this producer id on this partition. To one that it doesn't know it allows any first sequence: if
   * the first batch failed while others were in flight, the second would be taken as the first.
   */
  #isEstablished = false;

  constructor(topic: string, partition: number, key: TopicPartitionKey) {
    this.topic = topic;
    this.partition = partition;
    this.key = key;
  }

  /** The batch to send now, if any; its sequence is given out. */
  next(nowMs: number): PendingBatch | undefined {
    if (this.inFlight > 0 && (this.isDraining || !this.#isEstablished)) return undefined;
    this.isDraining = false;
    if (this.retryAtMs > nowMs) return undefined;
    this.#splitFirst();
    const pending = this.waiting.shift();
    if (pending === undefined) return undefined;
    if (pending.sequence < 0) {
      pending.sequence = this.#nextSequence;
      this.#nextSequence = (this.#nextSequence + pending.batch.recordCount) % SEQUENCE_MODULUS;
    }
    this.inFlight += 1;
    return pending;
  }

  /** The broker has written a batch. */
  acknowledged(): void {
    this.#isEstablished = true;
    this.failures = 0;
    this.unknownSinceMs = undefined;
  }

  /**
   * The topic takes only smaller batches: this one goes in halves, under the sequences that it had. False when it is a single
   * record, which only another limit helps.
   */
  split(pending: PendingBatch): boolean {
    if (pending.batch.recordCount === 1) return false;
    this.#refusedBytes = Math.min(this.#refusedBytes, pending.batch.bytes.length);
    for (const half of halvesOf(pending)) this.putBack(half);
    return true;
  }

  /** What would be refused is split before it is sent; what was sent before keeps its sequences, and with them its size. */
  #splitFirst(): void {
    let first = this.waiting[0];
    while (first !== undefined && this.#isTooLarge(first)) {
      this.waiting.splice(0, 1, ...halvesOf(first));
      first = this.waiting[0];
    }
  }

  #isTooLarge({ batch, sequence }: PendingBatch): boolean {
    return sequence < 0 && batch.bytes.length >= this.#refusedBytes && batch.recordCount > 1;
  }

  /** A batch that came back goes before everything that was produced after it. */
  putBack(pending: PendingBatch): void {
    this.isDraining = true;
    const at = this.waiting.findIndex((other) => other.sequence < 0 || isBefore(pending.sequence, other.sequence));
    if (at < 0) this.waiting.push(pending);
    else this.waiting.splice(at, 0, pending);
  }

  /** Whether a batch with an earlier sequence has failed and waits for its retry. */
  hasEarlierWaiting(pending: PendingBatch): boolean {
    return this.waiting.some((other) => other.sequence >= 0 && isBefore(other.sequence, pending.sequence));
  }

  /**
   * Takes the sequence of a batch that the broker refused back. False when later sequences are out already: then only a new
   * producer id helps.
   */
  takeBackSequence(pending: PendingBatch): boolean {
    if (this.inFlight > 0 || this.waiting.some((other) => other.sequence >= 0)) return false;
    this.#nextSequence = pending.sequence;
    return true;
  }

  /** For a new producer id: all sequences are given out again, in order. */
  restartSequences(): void {
    this.#nextSequence = 0;
    this.#isEstablished = false;
    for (const pending of this.waiting) pending.sequence = -1;
  }
}

/** The same records as two batches, which settle the whole together. */
function halvesOf(whole: PendingBatch): readonly PendingBatch[] {
  const { deadlineMs, lastError, queue, sequence, settle } = whole;
  const results: ProduceResult[] = [];
  let open = 2;
  const halves = splitBatch(whole.batch);
  return halves.map((batch, index) => ({
    batch,
    queue,
    deadlineMs,
    lastError,
    sequence: sequence < 0 || index === 0 ? sequence : (sequence + halves[0].recordCount) % SEQUENCE_MODULUS,
    settle: (result) => {
      batch.release();
      results[index] = result.error === undefined ? result : { lostRecords: batch.recordCount, ...result };
      open -= 1;
      if (open === 0) settle(joined(results[0] as ProduceResult, results[1] as ProduceResult));
    },
  }));
}

function joined(first: ProduceResult, second: ProduceResult): ProduceResult {
  const error = first.error ?? second.error;
  const { baseOffset } = first;
  if (error === undefined) return { ...second, baseOffset };
  return { ...second, baseOffset, error, lostRecords: (first.lostRecords ?? 0) + (second.lostRecords ?? 0) };
}

function isBefore(sequence: number, other: number): boolean {
  return (other - sequence + SEQUENCE_MODULUS) % SEQUENCE_MODULUS < SEQUENCE_MODULUS / 2 && sequence !== other;
}

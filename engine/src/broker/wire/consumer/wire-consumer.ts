import type { Clock, Timer } from '../../../base/clock.ts';
import { StreamsError } from '../../../base/errors.ts';
import type { Log } from '../../../base/metrics.ts';
import type { Random } from '../../../base/random.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../../base/record-batch.ts';
import { retryBackoffMs } from '../../backoff.ts';
import type { BrokerConsumer, ConsumerOptions, FetchedPartition } from '../../broker.ts';
import { brokerErrorOf, isRetriableCode, kafkaCodes } from '../../kafka-errors.ts';
import { type DecodeRequest, RecordBatchReader, scanNextOffset } from '../../record-batch-reader.ts';
import type { BrokerLinks } from '../connection/broker-links.ts';
import type { Transport, WireResponse } from '../connection/transport.ts';
import type { ClusterMetadata } from '../metadata/cluster-metadata.ts';
import { MetadataRefresher } from '../metadata/metadata-refresher.ts';
import { decodeFetchResponse, type FetchResponsePartition } from './fetch-protocol.ts';
import { type AskedPartition, sendFetch } from './fetch-request.ts';
import { FetchSlots } from './fetch-slots.ts';
import { FetchedPartitionState, type QueuedFetch } from './fetched-partition-state.ts';

/** Answers kept per partition before it is asked again: one being processed elsewhere, one ready here. */
const QUEUED_FETCHES_MAX = 2;
/** A fresh topic takes a moment to be known everywhere; after this it counts as missing. */
const UNKNOWN_TOPIC_PATIENCE_MS = 5_000;

/** What a consumer shares with the other clients of its broker object. */
export interface WireConsumerDependencies {
  /** Connections to the brokers. */
  readonly links: BrokerLinks;
  /** Who leads which partition. */
  readonly metadata: ClusterMetadata;
  /** Measures polls and waits. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of what is tried again. */
  readonly log: Log;
  /** Tells this consumer's connections from those of others. */
  readonly name: string;
  /** Called once, when the consumer has closed. */
  readonly onClosed: () => void;
}

/**
 * Fetches assigned partitions from their leaders, ahead of the reader.
 *
 * Owns: positions, what has arrived, fetches in flight, its fetch connections. Called by: the runtime; the group consumer.
 * Invariants: I1 a partition is in at most one fetch that counts; I2 nothing is fetched for a paused or failed partition, one
 * without position, or one with {@link QUEUED_FETCHES_MAX} answers waiting; I3 records are handed over in log order, each once,
 * unless sought again; I4 after an error nothing comes before the next seek.
 */
export class WireConsumer implements BrokerConsumer {
  readonly #dependencies: WireConsumerDependencies;
  readonly #options: ConsumerOptions;
  readonly #reader = new RecordBatchReader();
  readonly #states = new Map<TopicPartitionKey, FetchedPartitionState>();
  readonly #slots: FetchSlots;
  readonly #refresher: MetadataRefresher;
  #turn = 0;
  #isPumpScheduled = false;
  #retryTimer: Timer | undefined;
  #retryTimerAtMs = 0;
  #waiting: (() => void) | undefined;
  #wasWokenUp = false;
  #isClosed = false;

  constructor(options: ConsumerOptions, dependencies: WireConsumerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { clock, log, metadata, random } = dependencies;
    this.#slots = new FetchSlots(dependencies.name);
    this.#refresher = new MetadataRefresher({
      metadata,
      random,
      log,
      topics: () => [...this.#states.values()].map((state) => state.topic),
      onAnswer: () => {
        for (const state of this.#states.values()) this.#checkLeader(state);
      },
      onFailure: (error) => {
        for (const state of this.#states.values()) if (!state.hasFailed) state.fail(error);
        this.#waiting?.();
      },
      goOn: (delayMs) => {
        const nowMs = clock.monotonicMs();
        if (delayMs === 0) this.#pump();
        else this.#pumpAt(nowMs + delayMs, nowMs);
      },
    });
  }

  assign(positions: readonly (TopicPartition & { offset: number })[]): void {
    this.remove(this.assignment());
    this.add(positions);
  }

  add(positions: readonly (TopicPartition & { offset: number })[]): void {
    for (const { topic, partition, offset } of positions) {
      const key = topicPartitionKey(topic, partition);
      let state = this.#states.get(key);
      if (state === undefined) {
        state = new FetchedPartitionState(topic, partition);
        this.#states.set(key, state);
      }
      if (offset >= 0) state.moveTo(offset);
    }
    this.#pumpSoon();
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = topicPartitionKey(topic, partition);
      this.#states.get(key)?.drop();
      this.#states.delete(key);
    }
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#states.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#get(partition).moveTo(offset);
    this.#pumpSoon();
  }

  position(partition: TopicPartition): number {
    return this.#get(partition).position;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).isPaused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    let hasQueued = false;
    for (const partition of partitions) {
      const state = this.#get(partition);
      state.isPaused = false;
      if (state.queue.length > 0) hasQueued = true;
    }
    if (hasQueued) this.#waiting?.();
    this.#pumpSoon();
  }

  knownEndOffset(partition: TopicPartition): number | undefined {
    return this.#get(partition).endOffset;
  }

  async poll(timeoutMs: number): Promise<readonly FetchedPartition[]> {
    // An empty answer at once, again and again, would let a loop around it starve everything else.
    if (this.#isClosed) throw new StreamsError('The consumer is closed', { code: 'CANCELLED', recovery: 'fail' });
    const ready = this.take();
    if (ready.length > 0 || timeoutMs <= 0 || this.#wasWokenUp) {
      this.#wasWokenUp = false;
      return ready;
    }
    await new Promise<void>((resolve) => {
      const timer = this.#dependencies.clock.setTimer(timeoutMs, () => this.#waiting?.());
      this.#waiting = () => {
        timer.cancel();
        this.#waiting = undefined;
        resolve();
      };
    });
    this.#wasWokenUp = false;
    return this.take();
  }

  take(): readonly FetchedPartition[] {
    const states = [...this.#states.values()];
    const taken: [FetchedPartitionState, QueuedFetch][] = [];
    const first = this.#turn++ % Math.max(1, states.length);
    for (let index = 0; index < states.length; index += 1) {
      const state = states[(first + index) % states.length] as FetchedPartitionState;
      if (state.isPaused) continue;
      const queued = state.queue.shift();
      if (queued !== undefined) taken.push([state, queued]);
    }
    // The next fetch leaves before this one is decoded and processed.
    this.#pump();
    return taken.map(([state, queued]) => this.#decode(state, queued));
  }

  wakeup(): void {
    if (this.#waiting === undefined) this.#wasWokenUp = true;
    else this.#waiting();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.remove(this.assignment());
    this.#retryTimer?.cancel();
    this.#waiting?.();
    for (const purpose of this.#slots.purposes()) this.#dependencies.links.closePurpose(purpose);
    this.#dependencies.onClosed();
  }

  #decode(state: FetchedPartitionState, queued: QueuedFetch): FetchedPartition {
    const { topic, partition } = state;
    const { shared, start, end, fromOffset, nextOffset, endOffset, abortedTransactions, error } = queued;
    if (error !== undefined || shared === undefined) {
      return { topic, partition, batches: [], nextOffset, endOffset, ...(error === undefined ? {} : { error }) };
    }
    const request: DecodeRequest = { topic, partition, fromOffset, abortedTransactions };
    try {
      const { batches } = this.#reader.decode(shared, start, end, request);
      state.position = nextOffset;
      return { topic, partition, batches, nextOffset, endOffset };
    } catch (cause) {
      state.drop();
      state.hasFailed = true;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      return { topic, partition, batches: [], nextOffset: fromOffset, endOffset, error };
    } finally {
      shared.release();
    }
  }

  /** Once for all calls of this turn: partitions that are sought or resumed together are asked together. */
  #pumpSoon(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    queueMicrotask(() => {
      this.#isPumpScheduled = false;
      this.#pump();
    });
  }

  /** Sends a fetch to every broker that leads a partition in need of one. */
  #pump(): void {
    if (this.#isClosed) return;
    const nowMs = this.#dependencies.clock.monotonicMs();
    const byLeader = new Map<number, FetchedPartitionState[]>();
    let hasUnknown = false;
    for (const state of this.#states.values()) {
      if (state.isPaused || state.hasFailed || state.isInFlight || state.fetchOffset < 0) continue;
      if (state.queue.length >= QUEUED_FETCHES_MAX) continue;
      if (state.retryAtMs > nowMs) {
        this.#pumpAt(state.retryAtMs, nowMs);
        continue;
      }
      const leaderId = this.#dependencies.metadata.partition(state.topic, state.partition)?.leaderId ?? -1;
      if (leaderId < 0) {
        hasUnknown = true;
        continue;
      }
      const states = byLeader.get(leaderId);
      if (states === undefined) byLeader.set(leaderId, [state]);
      else states.push(state);
    }
    if (hasUnknown) this.#refreshMetadata();
    for (const [leaderId, states] of byLeader) this.#fetchFrom(leaderId, states);
  }

  #fetchFrom(leaderId: number, states: readonly FetchedPartitionState[]): void {
    const { links, metadata } = this.#dependencies;
    const address = metadata.address(leaderId);
    if (address === undefined) {
      this.#refreshMetadata();
      return;
    }
    const slot = this.#slots.free(leaderId);
    if (slot === undefined) return;
    slot.isBusy = true;
    const asked = states.map((state) => ({ state, epoch: state.epoch }));
    for (const { state } of asked) state.isInFlight = true;
    const open = links.openConnection(address, slot.purpose);
    const answer =
      open === undefined
        ? links.connect(address, slot.purpose).then((transport) => this.#send(transport, asked))
        : this.#send(open, asked);
    void answer
      .then((response) => this.#onAnswer(response, asked))
      .catch((error: unknown) => this.#onFailure(error, asked))
      .finally(() => {
        slot.isBusy = false;
        // A connection that was being made when the consumer closed.
        if (this.#isClosed) links.closePurpose(slot.purpose);
        this.#pump();
      });
  }

  #send(transport: Transport, asked: readonly AskedPartition[]): Promise<WireResponse> {
    // Whoever got no bytes last time, since others filled the answer, comes first this time.
    const first = this.#turn % Math.max(1, asked.length);
    return sendFetch(
      transport,
      [...asked.slice(first), ...asked.slice(0, first)],
      this.#options,
      this.#dependencies.metadata,
    );
  }

  #onAnswer(response: WireResponse, asked: readonly AskedPartition[]): void {
    try {
      const { errorCode, partitions } = decodeFetchResponse(response);
      if (errorCode !== 0) throw brokerErrorOf(errorCode, 'Fetch');
      const askedByKey = new Map(asked.map((each) => [each.state.key, each]));
      for (const answer of partitions) {
        const topic = this.#dependencies.metadata.topicName(answer.topicId);
        if (topic === undefined) continue;
        const known = askedByKey.get(topicPartitionKey(topic, answer.partition));
        if (known === undefined || known.state.epoch !== known.epoch) continue;
        this.#onPartition(known.state, answer, response);
      }
    } finally {
      for (const { state, epoch } of asked) if (state.epoch === epoch) state.isInFlight = false;
      response.shared.release();
    }
  }

  #onPartition(state: FetchedPartitionState, answer: FetchResponsePartition, response: WireResponse): void {
    if (answer.errorCode !== 0) {
      this.#onPartitionError(state, answer.errorCode);
      return;
    }
    state.failures = 0;
    state.unknownSinceMs = undefined;
    const { recordsStart, recordsEnd, abortedTransactions } = answer;
    const isReadCommitted = this.#options.isolationLevel === 'read_committed';
    const endOffset = isReadCommitted ? answer.lastStableOffset : answer.highWatermark;
    state.endOffset = endOffset;
    if (recordsEnd === recordsStart) return;
    const fromOffset = state.fetchOffset;
    const nextOffset = scanNextOffset(response.shared.buffer, recordsStart, recordsEnd, fromOffset);
    if (nextOffset === fromOffset) {
      const text = `${state.key} has no readable batch at offset ${fromOffset}`;
      state.fail(new StreamsError(text, { code: 'CORRUPT_RECORD', recovery: 'fail' }));
    } else {
      state.fetchOffset = nextOffset;
      response.shared.retain();
      state.queue.push({
        shared: response.shared,
        start: recordsStart,
        end: recordsEnd,
        fromOffset,
        nextOffset,
        endOffset,
        abortedTransactions: isReadCommitted ? abortedTransactions : undefined,
        error: undefined,
      });
    }
    if (!state.isPaused) this.#waiting?.();
  }

  #onPartitionError(state: FetchedPartitionState, errorCode: number): void {
    if (errorCode === kafkaCodes.OFFSET_OUT_OF_RANGE) {
      const text = `Offset ${state.fetchOffset} lies outside the log of ${state.key}`;
      state.fail(new StreamsError(text, { code: 'OFFSET_OUT_OF_RANGE', recovery: 'restore' }));
    } else if (!isRetriableCode(errorCode)) {
      state.fail(brokerErrorOf(errorCode, `Fetch of ${state.key}`));
    } else {
      this.#retryLater(state);
      if (errorCode === kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION || errorCode === kafkaCodes.UNKNOWN_TOPIC_ID) {
        this.#loseLater(state);
      }
      this.#refreshMetadata();
    }
    if (state.hasFailed && !state.isPaused) this.#waiting?.();
  }

  /** The broker could not be reached, or its answer was no answer: everything asked is asked again, perhaps elsewhere. */
  #onFailure(error: unknown, asked: readonly AskedPartition[]): void {
    if (this.#isClosed) return;
    const isFinal = error instanceof StreamsError && error.recovery === 'fail';
    this.#dependencies.log.warn({ err: error }, 'A fetch failed');
    for (const { state, epoch } of asked) {
      if (state.epoch !== epoch) continue;
      state.isInFlight = false;
      if (isFinal) state.fail(error);
      else this.#retryLater(state);
    }
    if (isFinal) this.#waiting?.();
    else this.#refreshMetadata();
  }

  #retryLater(state: FetchedPartitionState): void {
    state.failures += 1;
    state.retryAtMs =
      this.#dependencies.clock.monotonicMs() + retryBackoffMs(state.failures, this.#dependencies.random);
  }

  #loseLater(state: FetchedPartitionState): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    state.unknownSinceMs ??= nowMs;
    if (nowMs - state.unknownSinceMs < UNKNOWN_TOPIC_PATIENCE_MS) return;
    state.fail(brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Fetch of ${state.key}`));
    this.#waiting?.();
  }

  #refreshMetadata(): void {
    if (!this.#isClosed) this.#refresher.refresh();
  }

  #checkLeader(state: FetchedPartitionState): void {
    const { metadata } = this.#dependencies;
    const partition = metadata.partition(state.topic, state.partition);
    if (partition !== undefined && metadata.address(partition.leaderId) !== undefined) return;
    if (state.hasFailed || state.fetchOffset < 0) return;
    this.#retryLater(state);
    if (partition === undefined) this.#loseLater(state);
  }

  #pumpAt(atMs: number, nowMs: number): void {
    if (this.#retryTimer !== undefined && this.#retryTimerAtMs <= atMs) return;
    this.#retryTimer?.cancel();
    this.#retryTimerAtMs = atMs;
    this.#retryTimer = this.#dependencies.clock.setTimer(Math.max(1, atMs - nowMs), () => {
      this.#retryTimer = undefined;
      this.#pump();
    });
  }

  #get({ topic, partition }: TopicPartition): FetchedPartitionState {
    const state = this.#states.get(topicPartitionKey(topic, partition));
    if (state === undefined) {
      throw new RangeError(`${topicPartitionKey(topic, partition)} is not assigned to this consumer`);
    }
    return state;
  }
}

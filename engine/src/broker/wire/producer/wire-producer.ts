import { type Clock, sleep, type Timer } from '../../../base/clock.ts';
import { BrokerError, StreamsError } from '../../../base/errors.ts';
import type { Log } from '../../../base/metrics.ts';
import type { Random } from '../../../base/random.ts';
import { type TopicPartitionKey, topicPartitionKey } from '../../../base/record-batch.ts';
import { retryBackoffMs } from '../../backoff.ts';
import type { BrokerProducer, EncodedBatch, ProduceResult, ProducerOptions } from '../../broker.ts';
import { brokerErrorOf, isRetriableCode, kafkaCodeOf, kafkaCodes, noAnswerError } from '../../kafka-errors.ts';
import { stampProducer } from '../../record-batch-layout.ts';
import type { BrokerLinks } from '../connection/broker-links.ts';
import type { Transport, WireResponse } from '../connection/transport.ts';
import type { ClusterMetadata } from '../metadata/cluster-metadata.ts';
import { MetadataRefresher } from '../metadata/metadata-refresher.ts';
import {
  decodeProduceResponse,
  type ProduceRequestPartition,
  type ProduceResponsePartition,
} from './produce-protocol.ts';
import { sendProduce } from './produce-request.ts';
import { type Identity, ProducerIdentity } from './producer-identity.ts';
import { type PendingBatch, ProducerQueue } from './producer-queue.ts';

/** The most that keeps order: brokers remember the last five batches of a producer. */
const IN_FLIGHT_MAX = 5;
/** Kafka's `request.timeout.ms` and `delivery.timeout.ms`. */
const REQUEST_TIMEOUT_MS = 30_000;
const DELIVERY_TIMEOUT_MS = 120_000;
/** Batches of several calls share a request up to this size. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** How often batches that can't be sent are looked at for their deadline. */
const DEADLINE_CHECK_MS = 250;
/** A fresh topic takes a moment to be known everywhere; after this it counts as missing. */
const UNKNOWN_TOPIC_PATIENCE_MS = 5_000;
/** `close` waits this long for acknowledgements. */
const CLOSE_PATIENCE_MS = 10_000;

/** What a producer shares with the other clients of its broker object. */
export interface WireProducerDependencies {
  /** Connections to the brokers. */
  readonly links: BrokerLinks;
  /** Who leads which partition. */
  readonly metadata: ClusterMetadata;
  /** Measures deadlines and waits. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of what is tried again. */
  readonly log: Log;
  /** Tells this producer's connections from those of others. */
  readonly name: string;
  /** Called once, when the producer has closed. */
  readonly onClosed: () => void;
}

/**
 * Idempotent producer: acks=all, several requests in flight per broker, order per partition kept over retries.
 *
 * Owns: producer id and sequences, batches until they are settled, its connections. Called by: the record collector.
 * Invariants: I1 every batch is settled exactly once and released before that; I2 a batch keeps its sequence over retries
 * under one producer id; I3 the producer id changes only while nothing is in flight; I4 at most `inFlightMax` requests per broker.
 */
export class WireProducer implements BrokerProducer {
  readonly transactions = undefined;
  readonly #dependencies: WireProducerDependencies;
  readonly #options: ProducerOptions;
  readonly #queues = new Map<TopicPartitionKey, ProducerQueue>();
  /** Those with something waiting. */
  readonly #active = new Set<ProducerQueue>();
  readonly #inFlightByNode = new Map<number, number>();
  readonly #connecting = new Set<number>();
  readonly #identity: ProducerIdentity;
  readonly #refresher: MetadataRefresher;
  #inFlight = 0;
  #unsettled = 0;
  #needsNewIdentity = false;
  #timer: Timer | undefined;
  #turn = 0;
  #isClosed = false;

  constructor(options: ProducerOptions, dependencies: WireProducerDependencies) {
    if (options.transactionalId !== undefined) {
      throw new StreamsError('Transactions are not implemented yet: create the producer without a transactional id', {
        code: 'CONFIG',
        recovery: 'fail',
      });
    }
    this.#options = options;
    this.#dependencies = dependencies;
    const { clock, log, metadata, random } = dependencies;
    this.#identity = new ProducerIdentity({
      metadata,
      clock,
      random,
      log,
      onFailure: (error) => this.#gotNoIdentity(error),
      goOn: () => this.#drain(),
    });
    this.#refresher = new MetadataRefresher({
      metadata,
      random,
      log,
      topics: () => this.#unsettledQueues().map((queue) => queue.topic),
      onAnswer: (topics) => {
        for (const queue of this.#unsettledQueues()) if (topics.has(queue.topic)) this.#checkLeader(queue);
      },
      onFailure: (error) => this.#failAll(error),
      goOn: (delayMs) => {
        if (delayMs === 0) this.#drain();
        else clock.setTimer(delayMs, () => this.#drain());
      },
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  produce(batches: readonly EncodedBatch[]): Promise<readonly ProduceResult[]> {
    if (batches.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const results: ProduceResult[] = [];
      let open = batches.length;
      const deadlineMs =
        this.#dependencies.clock.monotonicMs() + (this.#options.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS);
      this.#unsettled += batches.length;
      batches.forEach((batch, index) => {
        const queue = this.#queueOf(batch);
        const settle = (result: ProduceResult): void => {
          batch.release();
          results[index] = result;
          this.#unsettled -= 1;
          open -= 1;
          if (open === 0) resolve(results);
        };
        const pending: PendingBatch = { batch, queue, deadlineMs, settle, sequence: -1, lastError: undefined };
        if (this.#isClosed) this.#fail(pending, closedError());
        else {
          queue.waiting.push(pending);
          this.#active.add(queue);
        }
      });
      this.#drain();
    });
  }

  async close(): Promise<void> {
    const deadlineMs = this.#dependencies.clock.monotonicMs() + CLOSE_PATIENCE_MS;
    while (this.#unsettled > 0 && this.#dependencies.clock.monotonicMs() < deadlineMs)
      await sleep(this.#dependencies.clock, 5);
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const queue of this.#queues.values()) {
      for (const pending of queue.waiting.splice(0)) this.#fail(pending, closedError());
    }
    this.#dependencies.links.closePurpose(this.#dependencies.name);
    this.#dependencies.onClosed();
  }

  #queueOf({ topic, partition }: EncodedBatch): ProducerQueue {
    const key = topicPartitionKey(topic, partition);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new ProducerQueue(topic, partition, key);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** Sends all that can be sent now. */
  #drain(): void {
    if (this.#isClosed || this.#unsettled === 0) return;
    this.#watchDeadlines();
    if (this.#needsNewIdentity && this.#inFlight === 0) {
      this.#needsNewIdentity = false;
      this.#identity.forget();
      for (const queue of this.#queues.values()) queue.restartSequences();
    }
    if (this.#needsNewIdentity) return;
    const identity = this.#identity.current;
    if (identity === undefined) this.#identity.ask();
    else while (this.#sendRound(identity));
  }

  /** One request to every broker that leads a waiting partition and has room; false when nothing could be sent. */
  #sendRound(identity: Identity): boolean {
    const { clock, links, metadata } = this.#dependencies;
    const nowMs = clock.monotonicMs();
    const byLeader = new Map<number, ProducerQueue[]>();
    const queues = [...this.#active];
    // A full request leaves queues out: the next round begins with another one.
    const first = this.#turn++ % Math.max(1, queues.length);
    for (let index = 0; index < queues.length; index += 1) {
      const queue = queues[(first + index) % queues.length] as ProducerQueue;
      if (queue.waiting.length === 0) this.#active.delete(queue);
      if (queue.waiting.length === 0 || queue.retryAtMs > nowMs) continue;
      const leaderId = metadata.partition(queue.topic, queue.partition)?.leaderId ?? -1;
      if (leaderId < 0) {
        this.#refreshMetadata();
        continue;
      }
      const ofLeader = byLeader.get(leaderId);
      if (ofLeader === undefined) byLeader.set(leaderId, [queue]);
      else ofLeader.push(queue);
    }
    let hasSent = false;
    for (const [leaderId, ofLeader] of byLeader) {
      const inFlight = this.#inFlightByNode.get(leaderId) ?? 0;
      const address = metadata.address(leaderId);
      if (address === undefined) this.#refreshMetadata();
      if (address === undefined || inFlight >= (this.#options.inFlightMax ?? IN_FLIGHT_MAX)) continue;
      const transport = links.openConnection(address, this.#dependencies.name);
      if (transport === undefined) this.#connect(leaderId, ofLeader);
      else if (this.#sendTo(transport, leaderId, ofLeader, identity, nowMs)) hasSent = true;
    }
    return hasSent;
  }

  #sendTo(
    transport: Transport,
    leaderId: number,
    queues: readonly ProducerQueue[],
    identity: Identity,
    nowMs: number,
  ): boolean {
    const sent = new Map<TopicPartitionKey, PendingBatch>();
    const topics = new Map<string, ProduceRequestPartition[]>();
    let requestBytes = 0;
    for (const queue of queues) {
      const nextBytes = queue.waiting[0]?.batch.bytes.length ?? 0;
      if (sent.size > 0 && requestBytes + nextBytes > REQUEST_BYTES_MAX) continue;
      const pending = queue.next(nowMs);
      if (pending === undefined) continue;
      const { bytes, partition } = pending.batch;
      stampProducer(bytes, identity.producerId, identity.epoch, pending.sequence);
      requestBytes += bytes.length;
      sent.set(queue.key, pending);
      const ofTopic = topics.get(queue.topic);
      if (ofTopic === undefined) topics.set(queue.topic, [{ partition, bytes }]);
      else ofTopic.push({ partition, bytes });
    }
    if (sent.size === 0) return false;
    this.#inFlight += 1;
    this.#inFlightByNode.set(leaderId, (this.#inFlightByNode.get(leaderId) ?? 0) + 1);
    const timeoutMs = this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    void sendProduce(transport, topics, timeoutMs)
      .then(
        (response) => {
          this.#landed(leaderId);
          this.#onAnswer(response, sent);
        },
        (error: unknown) => {
          this.#landed(leaderId);
          this.#onNoAnswer(error, sent);
        },
      )
      .finally(() => this.#drain());
    return true;
  }

  #landed(leaderId: number): void {
    this.#inFlight -= 1;
    this.#inFlightByNode.set(leaderId, (this.#inFlightByNode.get(leaderId) ?? 1) - 1);
  }

  #onAnswer(response: WireResponse, sent: Map<TopicPartitionKey, PendingBatch>): void {
    try {
      for (const answer of decodeProduceResponse(response)) {
        const key = topicPartitionKey(answer.topic, answer.partition);
        const pending = sent.get(key);
        if (pending === undefined) continue;
        sent.delete(key);
        pending.queue.inFlight -= 1;
        this.#onPartition(pending, answer);
      }
    } catch (error) {
      this.#dependencies.log.error({ err: error }, 'A Produce answer could not be read');
    } finally {
      response.shared.release();
    }
    if (sent.size > 0) this.#onNoAnswer(noAnswerError('A partition of a Produce request'), sent);
  }

  #onPartition(pending: PendingBatch, answer: ProduceResponsePartition): void {
    const { queue } = pending;
    const { topic, partition, errorCode, errorMessage, baseOffset, logStartOffset } = answer;
    if (errorCode === 0 || errorCode === kafkaCodes.DUPLICATE_SEQUENCE_NUMBER) {
      queue.acknowledged();
      const nextOffset = baseOffset < 0 ? -1 : baseOffset + pending.batch.recordCount;
      pending.settle({ topic, partition, baseOffset, nextOffset, logStartOffset });
      return;
    }
    const error = brokerErrorOf(errorCode, `Produce to ${queue.key}`, errorMessage);
    pending.lastError = error;
    if (errorCode === kafkaCodes.OUT_OF_ORDER_SEQUENCE_NUMBER && queue.hasEarlierWaiting(pending)) {
      this.#putBack(pending);
    } else if (
      errorCode === kafkaCodes.OUT_OF_ORDER_SEQUENCE_NUMBER ||
      errorCode === kafkaCodes.UNKNOWN_PRODUCER_ID ||
      errorCode === kafkaCodes.INVALID_PRODUCER_EPOCH
    ) {
      this.#dependencies.log.warn({ err: error }, 'The producer continues under a new producer id');
      this.#needsNewIdentity = true;
      this.#retry(pending);
    } else if (isRetriableCode(errorCode)) {
      this.#retry(pending);
      if (errorCode === kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION) this.#loseLater(queue);
      this.#refreshMetadata();
    } else if (isTooLarge(errorCode) && queue.split(pending)) {
      this.#active.add(queue);
    } else {
      if (!queue.takeBackSequence(pending)) this.#needsNewIdentity = true;
      this.#fail(pending, isTooLarge(errorCode) ? recordTooLarge(pending, error) : error);
    }
  }

  /** Nobody knows whether these were written: they are sent again under the same sequences. */
  #onNoAnswer(cause: unknown, sent: ReadonlyMap<TopicPartitionKey, PendingBatch>): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#dependencies.log.warn({ err: error }, 'A Produce request got no answer');
    const isFinal = error instanceof StreamsError && error.recovery === 'fail';
    for (const pending of sent.values()) {
      pending.queue.inFlight -= 1;
      pending.lastError = error;
      if (isFinal) {
        this.#needsNewIdentity = true;
        this.#fail(pending, error);
      } else this.#retry(pending);
    }
    if (!isFinal) this.#refreshMetadata();
  }

  #retry(pending: PendingBatch): void {
    this.#putBack(pending);
    this.#backOff(pending.queue);
  }

  /** Nothing of this queue is sent for a while, longer after each failure in a row. */
  #backOff(queue: ProducerQueue): void {
    const { clock, random } = this.#dependencies;
    queue.failures += 1;
    const delayMs = retryBackoffMs(queue.failures, random);
    queue.retryAtMs = clock.monotonicMs() + delayMs;
    clock.setTimer(delayMs + 1, () => this.#drain());
  }

  #putBack(pending: PendingBatch): void {
    pending.queue.putBack(pending);
    this.#active.add(pending.queue);
  }

  #fail(pending: PendingBatch, error: Error): void {
    const { topic, partition } = pending.batch;
    pending.settle({ topic, partition, baseOffset: -1, nextOffset: -1, logStartOffset: -1, error });
  }

  #connect(leaderId: number, queues: readonly ProducerQueue[]): void {
    const { links, log, metadata } = this.#dependencies;
    const address = metadata.address(leaderId);
    if (address === undefined || this.#connecting.has(leaderId)) return;
    this.#connecting.add(leaderId);
    void links
      .connect(address, this.#dependencies.name)
      .then(
        () => undefined,
        (error: unknown) => {
          log.warn({ err: error }, 'A broker could not be reached for producing');
          if (error instanceof StreamsError && error.recovery === 'fail') this.#failAll(error);
          for (const queue of queues) {
            this.#backOff(queue);
            for (const pending of queue.waiting) pending.lastError = error instanceof Error ? error : undefined;
          }
          this.#refreshMetadata();
        },
      )
      .finally(() => {
        this.#connecting.delete(leaderId);
        this.#drain();
      });
  }

  #refreshMetadata(): void {
    if (!this.#isClosed) this.#refresher.refresh();
  }

  /** Those with something that waits or is on its way. */
  #unsettledQueues(): readonly ProducerQueue[] {
    return [...this.#queues.values()].filter((queue) => queue.waiting.length > 0 || queue.inFlight > 0);
  }

  #checkLeader(queue: ProducerQueue): void {
    const { metadata } = this.#dependencies;
    const partition = metadata.partition(queue.topic, queue.partition);
    if (partition !== undefined && metadata.address(partition.leaderId) !== undefined) return;
    this.#backOff(queue);
    if (partition === undefined) this.#loseLater(queue);
  }

  #loseLater(queue: ProducerQueue): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    queue.unknownSinceMs ??= nowMs;
    const error = brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Produce to ${queue.key}`);
    for (const pending of queue.waiting) pending.lastError = error;
    if (nowMs - queue.unknownSinceMs < UNKNOWN_TOPIC_PATIENCE_MS || queue.inFlight > 0) return;
    queue.unknownSinceMs = undefined;
    for (const pending of queue.waiting.splice(0)) this.#giveUp(pending, error);
  }

  #failAll(error: Error): void {
    for (const queue of this.#queues.values()) {
      for (const pending of queue.waiting.splice(0)) this.#giveUp(pending, error);
    }
  }

  /** A batch that may have been written leaves a hole in the sequences if it was not. */
  #giveUp(pending: PendingBatch, error: Error): void {
    if (pending.sequence >= 0) this.#needsNewIdentity = true;
    this.#fail(pending, error);
  }

  #watchDeadlines(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#dependencies.clock.setTimer(DEADLINE_CHECK_MS, () => {
      this.#timer = undefined;
      const nowMs = this.#dependencies.clock.monotonicMs();
      for (const queue of this.#queues.values()) {
        while (queue.waiting[0] !== undefined && queue.waiting[0].deadlineMs <= nowMs) {
          const pending = queue.waiting.shift() as PendingBatch;
          const cause = pending.lastError;
          const text = `Produce to ${queue.key} was not acknowledged in time${cause ? `: ${cause.message}` : ''}`;
          const kafkaCode = kafkaCodeOf(cause) ?? kafkaCodes.REQUEST_TIMED_OUT;
          this.#giveUp(pending, new BrokerError(text, { kafkaCode, retriable: true, cause }));
        }
      }
      this.#drain();
    });
  }

  #gotNoIdentity(error: unknown): void {
    if (error instanceof StreamsError && error.recovery === 'fail') this.#failAll(error);
    for (const queue of this.#queues.values()) {
      for (const pending of queue.waiting) pending.lastError = error instanceof Error ? error : undefined;
    }
  }
}

function isTooLarge(errorCode: number): boolean {
  return errorCode === kafkaCodes.MESSAGE_TOO_LARGE || errorCode === kafkaCodes.RECORD_LIST_TOO_LARGE;
}

function recordTooLarge({ batch, queue }: PendingBatch, cause: BrokerError): BrokerError {
  return new BrokerError(
    `${cause.message}. A single record takes ${batch.bytes.length} bytes of a batch in ${queue.key}: raise the max.message.bytes of topic '${queue.topic}', or write less.`,
    { kafkaCode: kafkaCodes.MESSAGE_TOO_LARGE, retriable: false, cause },
  );
}

function closedError(): StreamsError {
  return new StreamsError('The producer is closed', { code: 'CANCELLED', recovery: 'fail' });
}

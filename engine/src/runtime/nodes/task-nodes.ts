import { StreamsError } from '../../base/errors.ts';
import { decodeHeaders } from '../../base/headers-codec.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { Headers } from '../../processor/headers.ts';
import type { AsyncProcessor, OffsetStoringSink, Processor, RecordMetadata } from '../../processor/processor.ts';
import { type HeaderSource, Record } from '../../processor/record.ts';
import type { ExternalSinkNode, SinkNode, SourceNode } from '../../topology/nodes.ts';
import type { OutputTopic, RecordCollector } from '../output/record-collector.ts';

/** A node of a task: takes a record and hands its results to its children before it returns. */
export interface TaskNode {
  /** The node's name in the topology. */
  readonly name: string;
  /**
   * Returns when all nodes below have finished with the record. What a failed record leads to is decided before it
   * throws.
   */
  process(record: Record<unknown, unknown>): void;
}

/** What nodes ask of the task they run in. */
export interface GraphHost {
  /** Decides about a failed record: returns when the record is to be skipped, throws otherwise. */
  nodeFailed(nodeName: string, error: unknown): void;
  /**
   * Decides about a record that could not be written to `topic`: returns when it is to be skipped, throws otherwise.
   */
  sendFailed(nodeName: string, topic: string, error: unknown): void;
  /** Where the record being processed came from; undefined in punctuators. */
  currentMetadata(): RecordMetadata | undefined;
}

/**
 * Turns rows of fetched batches into the one reused record that its children see.
 *
 * Called by: StreamTask. Invariants: I1 the record is a view: valid until the next row.
 */
export class SourceTaskNode implements HeaderSource {
  readonly name: string;
  /** Topics, serdes and timestamps, as the topology says. */
  readonly spec: SourceNode;
  /** The nodes that get the record. */
  readonly children: TaskNode[] = [];
  /** @internal The one record that `process` uses. */
  readonly record = new Record<unknown, unknown>(null, null, 0);
  /** For timestamp extractors, which look at the next record while the current one may still be in use. */
  #head: SourceTaskNode | undefined;
  #batch: RecordBatch | undefined;
  #row = 0;
  /** Bytes of key or value may stand for null. */
  readonly #mayReadNull: boolean;

  constructor(spec: SourceNode) {
    this.name = spec.name;
    this.spec = spec;
    this.#mayReadNull = spec.keySerde.readsAsNull !== undefined || spec.valueSerde.readsAsNull !== undefined;
  }

  /** Points the reused record at a row; `timestampMs` is the extracted event time. */
  view(batch: RecordBatch, row: number, timestampMs: number): Record<unknown, unknown> {
    const record = this.record;
    const { keySerde, valueSerde } = this.spec;
    const { buffer, topic } = batch;
    const keyStart = batch.keyStarts[row] as number;
    const keyEnd = batch.keyEnds[row] as number;
    if (keyStart < 0) record.keyDatum.setNull();
    else record.keyDatum.setBytes(buffer, keyStart, keyEnd, keySerde, topic);
    const valueStart = batch.valueStarts[row] as number;
    const valueEnd = batch.valueEnds[row] as number;
    if (valueStart < 0) record.valueDatum.setNull();
    else record.valueDatum.setBytes(buffer, valueStart, valueEnd, valueSerde, topic);
    if (this.#mayReadNull) {
      if (keyStart >= 0 && keySerde.readsAsNull?.(buffer, keyStart, keyEnd, topic)) record.keyDatum.setNull();
      if (valueStart >= 0 && valueSerde.readsAsNull?.(buffer, valueStart, valueEnd, topic)) record.valueDatum.setNull();
    }
    record.timestamp = timestampMs;
    if ((batch.headerStarts[row] as number) < 0) record.resetHeaders(undefined);
    else {
      this.#batch = batch;
      this.#row = row;
      record.resetHeaders(this);
    }
    return record;
  }

  /** A view apart from the one that `process` uses; its timestamp is the record's own. */
  headView(batch: RecordBatch, row: number): Record<unknown, unknown> {
    this.#head ??= new SourceTaskNode(this.spec);
    return this.#head.view(batch, row, batch.timestamps[row] as number);
  }

  /** Shows the row to the children, one after the other. */
  process(batch: RecordBatch, row: number, timestampMs: number): void {
    const record = this.view(batch, row, timestampMs);
    const { children } = this;
    for (let i = 0; i < children.length; i += 1) (children[i] as TaskNode).process(record);
  }

  /** Throws the DeserializationError of the current record, if it has one. */
  checkDecodable(): void {
    this.record.keyDatum.get();
    this.record.valueDatum.get();
  }

  readHeaders(): Headers {
    const batch = this.#batch as RecordBatch;
    const row = this.#row;
    return new Headers(decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number));
  }
}

/** A user's or the DSL's processor. What it throws goes to the processing exception handler with its name. */
export class ProcessorTaskNode implements TaskNode {
  readonly name: string;
  /** Made by the topology's supplier, for this task alone. */
  readonly processor: Processor;
  readonly #host: GraphHost;

  constructor(name: string, processor: Processor, host: GraphHost) {
    this.name = name;
    this.processor = processor;
    this.#host = host;
  }

  process(record: Record<unknown, unknown>): void {
    try {
      this.processor.process(record);
    } catch (error) {
      this.#host.nodeFailed(this.name, error);
    }
  }
}

/** An asynchronous boundary: gathers records; the task watches `processor.isSaturated`. */
export class AsyncTaskNode extends ProcessorTaskNode {
  /** The processor as an asynchronous one. */
  readonly asyncProcessor: AsyncProcessor;
  constructor(name: string, processor: AsyncProcessor, host: GraphHost) {
    super(name, processor, host);
    this.asyncProcessor = processor;
  }
}

/** Writes records to a topic. */
export class SinkTaskNode implements TaskNode {
  readonly name: string;
  readonly #spec: SinkNode;
  readonly #collector: RecordCollector;
  readonly #host: GraphHost;
  readonly #fixed: OutputTopic | undefined;

  /** A sink with a fixed topic asks the collector once, here. */
  constructor(spec: SinkNode, collector: RecordCollector, host: GraphHost) {
    this.name = spec.name;
    this.#spec = spec;
    this.#collector = collector;
    this.#host = host;
    this.#fixed = typeof spec.topic === 'string' ? collector.output(spec.topic) : undefined;
  }

  process(record: Record<unknown, unknown>): void {
    let topic = '';
    try {
      const output = this.#fixed ?? this.#chosen(record);
      topic = output.topic;
      output.send(record, this.#spec);
    } catch (error) {
      this.#host.sendFailed(this.name, topic, error);
    }
  }

  #chosen(record: Record<unknown, unknown>): OutputTopic {
    const choose = this.#spec.topic as Exclude<SinkNode['topic'], string>;
    const { timestamp, headers } = record;
    const metadata = this.#host.currentMetadata() ?? NOWHERE;
    const topic = choose(record.key, record.value, { ...metadata, timestamp, headers });
    if (typeof topic === 'string' && topic !== '') return this.#collector.output(topic);
    throw new StreamsError(
      `The topic name extractor of ${this.name} must answer a topic, not ${JSON.stringify(topic)}.`,
      {
        code: 'PRODUCTION',
        recovery: 'fail',
      },
    );
  }
}

const NOWHERE: RecordMetadata = { topic: '', partition: -1, offset: -1 };

/** Buffers records into a system that keeps offsets itself; the task commits it. */
export class ExternalSinkTaskNode implements TaskNode {
  readonly name: string;
  /** Made by the topology's supplier, for this task alone. */
  readonly sink: OffsetStoringSink;
  readonly #host: GraphHost;

  constructor(spec: ExternalSinkNode, host: GraphHost) {
    this.name = spec.name;
    this.sink = spec.supplier();
    this.#host = host;
  }

  process(record: Record<unknown, unknown>): void {
    try {
      this.sink.write(record, this.#host.currentMetadata() ?? NOWHERE);
    } catch (error) {
      this.#host.nodeFailed(this.name, error);
    }
  }
}

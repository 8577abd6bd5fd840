import { BrokerError } from '../../src/base/errors.ts';
import { SharedBuffer } from '../../src/broker/buffer-pool.ts';
import { kafkaCodes, NO_ANSWER } from '../../src/broker/kafka-errors.ts';
import { layout } from '../../src/broker/record-batch-layout.ts';
import { RecordBatchReader } from '../../src/broker/record-batch-reader.ts';
import { ProtocolReader, ProtocolWriter } from '../../src/broker/wire/connection/protocol-io.ts';
import type { Transport, WireRequest, WireResponse } from '../../src/broker/wire/connection/transport.ts';
import { PRODUCE_API_KEY } from '../../src/broker/wire/producer/produce-protocol.ts';

/** Brokers know the last batches of a producer again when they come twice. */
const REMEMBERED_BATCHES = 5;

interface Producer {
  nextSequence: number;
  readonly batches: { readonly sequence: number; readonly records: number; readonly baseOffset: number }[];
}

interface Waiting {
  readonly request: WireRequest;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;
}

/** One partition of a broker as Kafka keeps it for idempotent producers: sizes first, then repetition, then order. */
export class IdempotentPartition {
  readonly values: string[] = [];
  readonly topic: string;
  readonly #bytesMax: number;
  readonly #producers = new Map<number, Producer>();
  #producerIds = 0;

  constructor(topic: string, bytesMax: number) {
    this.topic = topic;
    this.#bytesMax = bytesMax;
  }

  newProducerId(): number {
    this.#producerIds += 1;
    return this.#producerIds;
  }

  append(bytes: Buffer): { readonly errorCode: number; readonly baseOffset: number } {
    const refused = (errorCode: number) => ({ errorCode, baseOffset: -1 });
    if (bytes.length > this.#bytesMax) return refused(kafkaCodes.MESSAGE_TOO_LARGE);
    const producerId = Number(bytes.readBigInt64BE(layout.producerId));
    const sequence = bytes.readInt32BE(layout.baseSequence);
    const records = bytes.readInt32BE(layout.recordCount);
    const known = this.#producers.get(producerId);
    const repeated = known?.batches.find((batch) => batch.sequence === sequence && batch.records === records);
    if (repeated !== undefined) return { errorCode: 0, baseOffset: repeated.baseOffset };
    if (known !== undefined && known.nextSequence !== sequence) return refused(kafkaCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
    const baseOffset = this.values.length;
    const producer = known ?? { nextSequence: 0, batches: [] };
    this.#producers.set(producerId, producer);
    producer.nextSequence = sequence + records;
    producer.batches.push({ sequence, records, baseOffset });
    if (producer.batches.length > REMEMBERED_BATCHES) producer.batches.shift();
    const read = new RecordBatchReader().decode(new SharedBuffer(Buffer.from(bytes)), 0, bytes.length, {
      topic: this.topic,
      partition: 0,
      fromOffset: 0,
    });
    for (const batch of read.batches) {
      for (let row = 0; row < batch.count; row += 1) {
        this.values.push(batch.buffer.utf8Slice(batch.valueStarts[row], batch.valueEnds[row]));
      }
    }
    return { errorCode: 0, baseOffset };
  }
}

/** A connection to that broker which does nothing until it is told to. */
export class SteppedTransport implements Transport {
  isOpen = true;
  readonly #partition: IdempotentPartition;
  readonly #waiting: Waiting[] = [];

  constructor(partition: IdempotentPartition) {
    this.#partition = partition;
  }

  version(_apiKey: number, ours: { readonly min: number; readonly max: number }): number {
    return ours.max;
  }

  send(request: WireRequest): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      if (request.apiKey === PRODUCE_API_KEY) this.#waiting.push({ request, resolve, reject });
      else resolve(identityAnswer(this.#partition.newProducerId()));
    });
  }

  close(): void {
    this.isOpen = false;
  }

  /** Answers the oldest request. */
  answer(): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve(produceAnswer(this.#partition, this.#handle(waiting.request)));
  }

  /** The broker still handles so many requests, and no answer comes. */
  cut(handled: number): void {
    this.isOpen = false;
    for (const [index, { request, reject }] of this.#waiting.splice(0).entries()) {
      if (index < handled) this.#handle(request);
      reject(new BrokerError('Cut', { kafkaCode: NO_ANSWER, retriable: true }));
    }
  }

  #handle(request: WireRequest): ReturnType<IdempotentPartition['append']> {
    const body = Buffer.concat(request.body);
    const reader = new ProtocolReader(body, 0, body.length, 'Produce');
    reader.compactString();
    reader.int16();
    reader.int32();
    reader.compactLength();
    reader.compactString();
    reader.compactLength();
    reader.int32();
    const bytes = reader.unsignedVarint() - 1;
    const at = reader.skip(bytes);
    return this.#partition.append(body.subarray(at, at + bytes));
  }
}

function responseOf(writer: ProtocolWriter): WireResponse {
  const buffer = writer.take();
  return { shared: new SharedBuffer(buffer), start: 0, end: buffer.length };
}

function identityAnswer(producerId: number): WireResponse {
  return responseOf(new ProtocolWriter().int32(0).int16(0).int64(producerId).int16(0).noTaggedFields());
}

function produceAnswer(
  { topic }: IdempotentPartition,
  { errorCode, baseOffset }: ReturnType<IdempotentPartition['append']>,
): WireResponse {
  const writer = new ProtocolWriter().compactArrayLength(1).compactString(topic).compactArrayLength(1);
  writer.int32(0).int16(errorCode).int64(baseOffset).int64(-1).int64(0).compactArrayLength(0).compactString(null);
  writer.noTaggedFields().noTaggedFields().int32(0).noTaggedFields();
  return responseOf(writer);
}

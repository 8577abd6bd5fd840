import { InferenceError } from '../../errors.ts';
import type { BatchFault } from '../pending-batches.ts';
import { askClassifier } from './ask-classifier.ts';
import { type BatchTensor, batchTensors, imagesOf } from './batch-tensors.ts';
import { TritonConnection } from './connection.ts';
import { encodeWithContents, encodeWithRegion } from './encode-request.ts';
import { InferStream } from './infer-stream.ts';
import type { SenderSettings, SendReply, SendRequest } from './messages.ts';
import { type BatchAnswer, readResponse } from './read-response.ts';
import { SharedRegions } from './shared-regions.ts';
import { confirmFault, isLostRegion } from './triton-errors.ts';

/**
 * Serialised requests that are under way, together; the next waits. Three FP32 batches of 16: enough to keep a server
 * busy, little enough for a small container. One request is always let through.
 */
const IN_FLIGHT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Makes requests of batches and sends them.
 *
 * Owns: the connection, the stream, the shared regions, memory for one message.
 * Called by: the sending thread, one message at a time.
 * Invariants: (I1) every request gets one reply; (I2) the bytes under way are bounded; (I3) requests start in order.
 */
export class Sender {
  readonly #settings: SenderSettings;
  readonly #connection: TritonConnection;
  readonly #stream: InferStream | undefined;
  readonly #regions: SharedRegions | undefined;
  readonly #aborts = new Map<number, AbortController>();
  readonly #queue: (() => void)[] = [];
  #inFlightBytes = 0;
  #spare: ArrayBuffer | undefined;
  #scratch = new ArrayBuffer(0);

  constructor(settings: SenderSettings, threadNumber: number) {
    this.#settings = settings;
    this.#connection = new TritonConnection(settings.address);
    if (settings.streaming) this.#stream = new InferStream(this.#connection);
    if (settings.sharedMemory) this.#regions = new SharedRegions(this.#connection, threadNumber);
  }

  /** Clears what dead processes have left. Rejects with `InferenceError` when the server does not answer. */
  async start(): Promise<void> {
    await this.#regions?.removeStale();
  }

  /** Answers one batch; never rejects. */
  async send(request: SendRequest): Promise<SendReply> {
    const { id, packed, lengths } = request;
    const controller = new AbortController();
    this.#aborts.set(id, controller);
    try {
      const tensors = batchTensors(this.#settings.transport, packed, lengths, this.#settings.takesGolden);
      const bytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
      await this.#turn(bytes);
      try {
        const answer = await this.#infer(id, tensors, lengths.length / 2, controller.signal);
        const opinions = await this.#opinions(request, answer, controller.signal);
        return { kind: 'reply', id, packed, rows: answer.rows, ...(opinions === undefined ? {} : { opinions }) };
      } finally {
        this.#inFlightBytes -= bytes;
        this.#queue.shift()?.();
      }
    } catch (cause) {
      const error = await confirmFault(cause, this.#connection);
      return { kind: 'reply', id, packed, error: faultOf(error) };
    } finally {
      this.#aborts.delete(id);
    }
  }

  /** Gives up on a request: the server is told, and the reply is an error. */
  cancel(id: number): void {
    this.#aborts.get(id)?.abort(new InferenceError('unavailable', 'the call was cancelled'));
  }

  async close(): Promise<void> {
    for (const id of this.#aborts.keys()) this.cancel(id);
    await this.#regions?.close();
    this.#stream?.close();
    this.#connection.close();
  }

  /** Waits until so many bytes may be under way, too. */
  async #turn(bytes: number): Promise<void> {
    while (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > IN_FLIGHT_BYTES_MAX) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    this.#inFlightBytes += bytes;
  }

  async #infer(id: number, tensors: readonly BatchTensor[], images: number, signal: AbortSignal): Promise<BatchAnswer> {
    signal.throwIfAborted();
    if (this.#regions === undefined) return this.#inferInline(id, tensors, images, signal);
    try {
      return await this.#inferShared(this.#regions, id, tensors, images, signal);
    } catch (error) {
      // Its regions went with the server that was restarted; they were renewed, so once more.
      if (!isLostRegion(error)) throw error;
      return this.#inferShared(this.#regions, id, tensors, images, signal);
    }
  }

  async #inferInline(
    id: number,
    tensors: readonly BatchTensor[],
    images: number,
    signal: AbortSignal,
  ): Promise<BatchAnswer> {
    const memory = this.#spare;
    this.#spare = undefined;
    const message = encodeWithContents(this.#header(id), tensors, memory);
    const answer = await this.#call(id, message, images, signal);
    // Only after an answer: of a call that was given up, gRPC may still hold the bytes.
    this.#spare = message.buffer;
    return answer;
  }

  async #inferShared(
    regions: SharedRegions,
    id: number,
    tensors: readonly BatchTensor[],
    images: number,
    signal: AbortSignal,
  ): Promise<BatchAnswer> {
    const region = await regions.take(tensors.reduce((sum, { byteLength }) => sum + byteLength, 0));
    try {
      const largest = Math.max(...tensors.flatMap(({ parts }) => parts.map(({ byteLength }) => byteLength)));
      if (this.#scratch.byteLength < largest) this.#scratch = new ArrayBuffer(largest);
      regions.write(region, tensors, this.#scratch);
      return await this.#call(id, encodeWithRegion(this.#header(id), tensors, region.name), images, signal);
    } catch (error) {
      if (isLostRegion(error)) await regions.renew(region);
      throw error;
    } finally {
      regions.giveBack(region);
    }
  }

  async #call(id: number, message: Buffer, images: number, signal: AbortSignal): Promise<BatchAnswer> {
    const response =
      this.#stream === undefined
        ? await this.#connection.infer(message, { signal, deadlineMs: this.#settings.deadlineMs })
        : await this.#stream.infer(String(id), message, signal);
    const { modelVersion } = this.#settings;
    if (modelVersion !== '' && response.modelVersion !== modelVersion) {
      const message = `${response.modelName} answered with version ${response.modelVersion}, not ${modelVersion}`;
      throw new InferenceError('bad-output', message);
    }
    return readResponse(response, images);
  }

  /** The ensemble asks the classifier itself. */
  async #opinions(
    { packed, lengths, confidenceThreshold }: SendRequest,
    { rows, opinions }: BatchAnswer,
    signal: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { secondOpinions, transport, deadlineMs } = this.#settings;
    if (!secondOpinions || transport !== 'fp32') return secondOpinions ? opinions : undefined;
    const images = imagesOf(packed, lengths);
    return askClassifier(this.#connection, images, rows, confidenceThreshold, { signal, deadlineMs });
  }

  #header(id: number) {
    const { modelName, modelVersion } = this.#settings;
    // No choice of outputs: an ensemble that is asked for an early one alone ends as "unexpected deadlock" (2.51).
    return { modelName, modelVersion, id: String(id) };
  }
}

function faultOf(error: unknown): BatchFault {
  if (!(error instanceof InferenceError)) return { reason: 'model-failed', message: String(error) };
  const { reason, message, refusedImage } = error;
  return { reason, message, refusedImage };
}

import type { ModelInferResponse, ModelStreamInferResponse } from '@chip-quality/proto';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { InferenceError } from '../../errors.ts';
import { SILENT_CALLS_MAX, type TritonConnection } from './connection.ts';
import { fromStreamError, toInferenceError } from './triton-errors.ts';

interface Waiting {
  readonly resolve: (response: ModelInferResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Requests over one `ModelStreamInfer` stream.
 *
 * Owns: at most one open stream, and the requests it has not answered.
 * Called by: the sending thread.
 * Invariants: (I1) a request settles once: by its answer, its signal, or the stream's end; (I2) a stream that ended
 * is replaced when the next request comes.
 */
export class InferStream {
  readonly #connection: TritonConnection;
  readonly #waiting = new Map<string, Waiting>();
  #silentRequests = 0;
  #stream: ClientDuplexStream<Buffer, ModelStreamInferResponse> | undefined;

  constructor(connection: TritonConnection) {
    this.#connection = connection;
  }

  /** Sends a serialised request that carries `id`; a stream has no deadlines, so `signal` ends the wait. */
  infer(id: string, request: Buffer, signal: AbortSignal): Promise<ModelInferResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#waiting.delete(id);
        reject(signal.reason);
        this.#noteSilence();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const done = () => signal.removeEventListener('abort', onAbort);
      this.#waiting.set(id, {
        resolve: (response) => {
          done();
          resolve(response);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      });
      this.#stream ??= this.#open();
      this.#stream.write(request);
    });
  }

  /** Ends the stream; requests that wait reject. */
  close(): void {
    this.#stream?.cancel();
    this.#onEnd(this.#stream, new InferenceError('unavailable', 'the engine was closed'));
  }

  #open(): ClientDuplexStream<Buffer, ModelStreamInferResponse> {
    const stream = this.#connection.openStream();
    stream.on('data', (message: ModelStreamInferResponse) => this.#onMessage(stream, message));
    stream.on('error', (error: ServiceError) => this.#onEnd(stream, toInferenceError(error, this.#connection.address)));
    stream.on('end', () => this.#onEnd(stream, new InferenceError('unavailable', 'Triton ended the stream')));
    return stream;
  }

  #onMessage(
    stream: ClientDuplexStream<Buffer, ModelStreamInferResponse>,
    { errorMessage, inferResponse }: ModelStreamInferResponse,
  ): void {
    this.#silentRequests = 0;
    const id = inferResponse?.id ?? '';
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (errorMessage !== '') {
      const error = fromStreamError(errorMessage, this.#connection.address);
      if (waiting !== undefined) waiting.reject(error);
      else if (id === '') {
        // Older servers do not say whose error it is: nobody can be trusted to get an answer any more.
        this.#onEnd(stream, error);
        stream.cancel();
      }
    } else if (inferResponse !== null) waiting?.resolve(inferResponse);
  }

  /** A stream over which nothing comes any more is left for a new one, on a new connection. */
  #noteSilence(): void {
    this.#silentRequests += 1;
    const stream = this.#stream;
    if (this.#silentRequests < SILENT_CALLS_MAX || stream === undefined) return;
    this.#silentRequests = 0;
    this.#onEnd(stream, new InferenceError('unavailable', 'nothing comes over the stream'));
    stream.cancel();
    this.#connection.renew();
  }

  #onEnd(stream: ClientDuplexStream<Buffer, ModelStreamInferResponse> | undefined, reason: InferenceError): void {
    // A late event of a stream that was replaced must not fail its successor's requests.
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(reason);
  }
}

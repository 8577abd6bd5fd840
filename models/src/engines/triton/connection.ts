import {
  type InferenceMethods,
  inferenceService,
  type ModelInferResponse,
  type ModelStreamInferResponse,
} from '@chip-quality/proto';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type requestCallback,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { toInferenceError } from './triton-errors.ts';

/** Every call ends by then; a slower server is treated as away. */
export const CALL_DEADLINE_MS = 5_000;
/** gRPC's own limit of 4 MB is too small for models whose outputs are maps; detections take 38 KB at 16 images. */
const RECEIVE_BYTES_MAX = 64 * 1024 * 1024;
/** gRPC waits up to two minutes before it looks for a server again; a line that stands wants to know sooner. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 2_000;
/**
 * Calls in a row without an answer after which the channel is made anew: the machine behind the connection may have
 * vanished without a word. Pings would tell, too, but Triton's default is to end a connection that pings.
 */
export const SILENT_CALLS_MAX = 3;

/** Limits of one call. */
export interface CallOptions {
  /** Cancels the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default {@link CALL_DEADLINE_MS}. */
  readonly deadlineMs?: number | undefined;
}

/**
 * One gRPC channel to a Triton server.
 *
 * Owns: the channel (it connects by itself, again and again).
 * Called by: the admin client on the main thread, the sending thread of the engine.
 * Invariants: (I1) every call has a deadline; (I2) every rejection is an `InferenceError` or the signal's reason.
 */
export class TritonConnection {
  readonly address: string;
  readonly #service = inferenceService();
  #client: Client;
  #silentCalls = 0;

  /** `address` is `host:port` without a scheme. */
  constructor(address: string) {
    this.address = address;
    this.#client = openClient(address);
  }

  /** Calls a method of the protocol with its own messages. */
  call<Name extends keyof InferenceMethods>(
    name: Name,
    request: InferenceMethods[Name][0],
    options: CallOptions = {},
  ): Promise<InferenceMethods[Name][1]> {
    const method = this.#service[name];
    // The union of all methods' serialisers takes no single request; the signature above has checked it.
    const serialize = method.requestSerialize as (value: InferenceMethods[Name][0]) => Buffer;
    const deserialize = method.responseDeserialize as (bytes: Buffer) => InferenceMethods[Name][1];
    return this.#unary(method.path, serialize, deserialize, request, options);
  }

  /** `ModelInfer` with a request that is serialised already; the bytes must not change until it settles. */
  infer(request: Buffer, options: CallOptions = {}): Promise<ModelInferResponse> {
    const { path, responseDeserialize } = this.#service.ModelInfer;
    return this.#unary(path, asItIs, responseDeserialize, request, options);
  }

  /** Opens `ModelStreamInfer` for requests that are serialised already. The caller handles its events. */
  openStream(): ClientDuplexStream<Buffer, ModelStreamInferResponse> {
    const { path, responseDeserialize } = this.#service.ModelStreamInfer;
    return this.#client.makeBidiStreamRequest(path, asItIs, responseDeserialize, new Metadata());
  }

  /** Gives the next calls a new channel; those under way end on the old one. */
  renew(): void {
    this.#silentCalls = 0;
    this.#client.close();
    this.#client = openClient(this.address);
  }

  /** Ends the channel; calls that wait reject. */
  close(): void {
    this.#client.close();
  }

  #unary<Request, Response>(
    path: string,
    serialize: (request: Request) => Buffer,
    deserialize: (bytes: Buffer) => Response,
    request: Request,
    { signal, deadlineMs = CALL_DEADLINE_MS }: CallOptions,
  ): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => call.cancel();
      const onAnswer: requestCallback<Response> = (error: ServiceError | null, response?: Response) => {
        signal?.removeEventListener('abort', onAbort);
        this.#noteSilence(error);
        if (signal?.aborted) reject(signal.reason);
        else if (error !== null) reject(toInferenceError(error, this.address));
        else resolve(response as Response);
      };
      const deadline = Date.now() + deadlineMs;
      const call = this.#client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        new Metadata(),
        { deadline },
        onAnswer,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #noteSilence(error: ServiceError | null): void {
    // A call that the engine gave up, by its own deadline, was silent as well.
    const isSilent = error?.code === status.DEADLINE_EXCEEDED || error?.code === status.CANCELLED;
    this.#silentCalls = isSilent ? this.#silentCalls + 1 : 0;
    if (this.#silentCalls >= SILENT_CALLS_MAX) this.renew();
  }
}

function openClient(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    // Channels to one address would share a connection otherwise, and a new channel would be the old one.
    'grpc.use_local_subchannel_pool': 1,
  });
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

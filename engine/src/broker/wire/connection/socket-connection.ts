import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import { apiVersionsV3 } from '@platformatic/kafka';
import type { Clock, Timer } from '../../../base/clock.ts';
import { BrokerError } from '../../../base/errors.ts';
import type { SharedBuffer } from '../../buffer-pool.ts';
import { kafkaCodes, NO_ANSWER } from '../../kafka-errors.ts';
import { callApi } from './call-api.ts';
import { FrameReader, type ResponseBuffers } from './frame-reader.ts';
import { authenticate, type SaslCredentials } from './sasl.ts';
import type { Transport, WireRequest, WireResponse } from './transport.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const HEADER_FIXED_BYTES = 4 + 2 + 2 + 4 + 2;
const CORRELATION_BYTES = 4;
const SOFTWARE_NAME = 'millrace';
const SOFTWARE_VERSION = '0.1.0';

/** Where a connection goes, and what it works with. */
export interface SocketConnectionOptions {
  /** Name or IP address; with TLS the certificate must be for it. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** Goes with each request, for the broker's logs and quotas. */
  readonly clientId: string;
  /** Measures the deadlines of requests. */
  readonly clock: Clock;
  /** Pooled memory for answers. */
  readonly buffers: ResponseBuffers;
  /** Node's TLS options; undefined: the connection is not encrypted. */
  readonly ssl?: TlsOptions | undefined;
  /** Undefined: the connection is not authenticated. */
  readonly sasl?: SaslCredentials | undefined;
}

interface PendingRequest {
  readonly correlationId: number;
  readonly flexibleResponse: boolean;
  readonly deadlineMs: number;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to one broker on a socket of our own: pooled answers, vectored writes, requests pipelined.
 *
 * Owns: the socket, the requests in flight. Called by: {@link BrokerLinks} and whoever it gives the connection to.
 * Invariants: I1 answers match requests in order; a wrong correlation id closes the connection; I2 once closed, every request
 * in flight is rejected and none is accepted; I3 one timer runs while requests are in flight.
 */
export class SocketConnection implements Transport {
  readonly #options: SocketConnectionOptions;
  readonly #frames: FrameReader;
  readonly #clientId: Buffer;
  readonly #pending: PendingRequest[] = [];
  #socket: Socket | undefined;
  #versions: ReadonlyMap<number, { readonly min: number; readonly max: number }> = new Map();
  #correlationId = 0;
  #timer: Timer | undefined;
  /** Handshake and authentication are done: before that nobody but `open` may send. */
  #isReady = false;
  #closedBecause: Error | undefined;

  /** Connects with `open`. */
  constructor(options: SocketConnectionOptions) {
    this.#options = options;
    this.#clientId = Buffer.from(options.clientId);
    this.#frames = new FrameReader(options.buffers, (frame, sizeBytes) => this.#onFrame(frame, sizeBytes));
  }

  get isOpen(): boolean {
    return this.#isReady && this.#closedBecause === undefined;
  }

  /** Connects, learns the broker's API versions and authenticates. */
  async open(): Promise<void> {
    try {
      this.#socket = await this.#connect();
      const { apiKeys } = await callApi(this, apiVersionsV3.api, SOFTWARE_NAME, SOFTWARE_VERSION);
      this.#versions = new Map(apiKeys.map((each) => [each.apiKey, { min: each.minVersion, max: each.maxVersion }]));
      if (this.#options.sasl !== undefined) await authenticate(this, this.#options.sasl);
      this.#isReady = true;
    } catch (error) {
      this.#close(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  version(apiKey: number, ours: { readonly min: number; readonly max: number }): number {
    const theirs = this.#versions.get(apiKey) ?? { min: 0, max: -1 };
    const version = Math.min(ours.max, theirs.max);
    if (version < ours.min || version < theirs.min) {
      throw new BrokerError(
        `${this.#where()} speaks versions ${theirs.min} to ${theirs.max} of API ${apiKey}, this client ${ours.min} to ${ours.max}`,
        { kafkaCode: kafkaCodes.UNSUPPORTED_VERSION, retriable: false },
      );
    }
    return version;
  }

  send(request: WireRequest): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (socket === undefined || this.#closedBecause !== undefined) {
        reject(this.#closedBecause ?? this.#noAnswer('is not connected'));
        return;
      }
      this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
      this.#pending.push({
        correlationId: this.#correlationId,
        flexibleResponse: request.flexibleResponse,
        deadlineMs: this.#options.clock.monotonicMs() + request.timeoutMs,
        resolve,
        reject,
      });
      this.#watchDeadlines(request.timeoutMs);
      socket.cork();
      socket.write(this.#header(request));
      for (const part of request.body) socket.write(part);
      socket.uncork();
    });
  }

  close(): void {
    this.#close(this.#noAnswer('was closed'));
  }

  #connect(): Promise<Socket> {
    const { host, port, ssl, clock } = this.#options;
    return new Promise((resolve, reject) => {
      const onread = {
        buffer: () => this.#frames.nextBuffer(),
        callback: (count: number) => this.#read(() => this.#frames.received(count)),
      };
      const socket =
        ssl === undefined
          ? connectTcp({ host, port, noDelay: true, onread })
          : connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl, host, port });
      const timer = clock.setTimer(CONNECT_TIMEOUT_MS, () => {
        socket.destroy(this.#noAnswer(`did not accept a connection within ${CONNECT_TIMEOUT_MS} ms`));
      });
      socket.once(ssl === undefined ? 'connect' : 'secureConnect', () => {
        timer.cancel();
        if (ssl !== undefined) {
          socket.setNoDelay(true);
          socket.on('data', (chunk: Buffer) => this.#read(() => this.#frames.receivedChunk(chunk)));
        }
        if (this.#closedBecause !== undefined) socket.destroy();
        resolve(socket);
      });
      socket.on('error', (cause: Error) => {
        timer.cancel();
        const error = cause instanceof BrokerError ? cause : this.#noAnswer(`failed: ${cause.message}`, cause);
        this.#close(error);
        reject(error);
      });
      socket.on('close', () => {
        timer.cancel();
        this.#close(this.#noAnswer('closed the connection'));
        reject(this.#closedBecause);
      });
    });
  }

  /** Runs a parser step; malformed bytes close the connection. */
  #read(step: () => void): boolean {
    try {
      step();
    } catch (error) {
      this.#close(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #onFrame(shared: SharedBuffer, sizeBytes: number): void {
    const pending = this.#pending.shift();
    const correlationId = sizeBytes < CORRELATION_BYTES ? -1 : shared.buffer.readInt32BE(0);
    if (pending === undefined || pending.correlationId !== correlationId) {
      shared.release();
      const error = this.#noAnswer(`answered request ${correlationId} out of order`);
      pending?.reject(error);
      throw error;
    }
    if (this.#pending.length === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
    // Flexible headers carry tagged fields; brokers send none, which is one zero byte.
    pending.resolve({ shared, start: CORRELATION_BYTES + (pending.flexibleResponse ? 1 : 0), end: sizeBytes });
  }

  #header(request: WireRequest): Buffer {
    let bodyBytes = 0;
    for (const part of request.body) bodyBytes += part.length;
    const headerBytes = HEADER_FIXED_BYTES + this.#clientId.length + (request.flexibleRequest ? 1 : 0);
    const header = Buffer.allocUnsafe(headerBytes);
    header.writeInt32BE(headerBytes - 4 + bodyBytes, 0);
    header.writeInt16BE(request.apiKey, 4);
    header.writeInt16BE(request.apiVersion, 6);
    header.writeInt32BE(this.#correlationId, 8);
    header.writeInt16BE(this.#clientId.length, 12);
    this.#clientId.copy(header, HEADER_FIXED_BYTES);
    if (request.flexibleRequest) header[headerBytes - 1] = 0;
    return header;
  }

  #watchDeadlines(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      const nowMs = this.#options.clock.monotonicMs();
      let earliestMs = Number.POSITIVE_INFINITY;
      for (const { deadlineMs } of this.#pending) earliestMs = Math.min(earliestMs, deadlineMs);
      if (earliestMs <= nowMs) this.#close(this.#noAnswer('did not answer in time'));
      else if (earliestMs < Number.POSITIVE_INFINITY) this.#watchDeadlines(earliestMs - nowMs);
    });
  }

  #close(because: Error): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = because;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#socket?.destroy();
    for (const pending of this.#pending.splice(0)) pending.reject(because);
  }

  #noAnswer(what: string, cause?: unknown): BrokerError {
    return new BrokerError(`Broker ${this.#where()} ${what}`, { kafkaCode: NO_ANSWER, retriable: true, cause });
  }

  #where(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }
}

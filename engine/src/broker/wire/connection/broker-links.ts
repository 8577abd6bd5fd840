import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock } from '../../../base/clock.ts';
import { BrokerError, StreamsError } from '../../../base/errors.ts';
import { NO_ANSWER } from '../../kafka-errors.ts';
import { ResponseBuffers } from './frame-reader.ts';
import type { SaslCredentials } from './sasl.ts';
import { SocketConnection } from './socket-connection.ts';
import type { Transport } from './transport.ts';

/** Where a broker listens. */
export interface Address {
  /** Name or IP address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** How brokers are reached. */
export interface BrokerLinksOptions {
  /** `host:port` of some brokers. */
  readonly bootstrapServers: readonly string[];
  /** Named in the brokers' request logs and quotas. */
  readonly clientId: string;
  /** Measures deadlines. */
  readonly clock: Clock;
  /** Node's TLS options; present: all connections are encrypted. */
  readonly ssl?: TlsOptions | undefined;
  /** Present: every connection authenticates with it. */
  readonly sasl?: SaslCredentials | undefined;
  /** Where to connect for an address that brokers advertise, when it isn't reachable as it is: tunnels, port forwarding. */
  readonly mapAddress?: ((address: Address) => Address) | undefined;
}

/**
 * The connections of one broker object, by address and purpose. A broker answers the requests of one connection one at a time,
 * so whatever may wait long (fetches, joins) has a connection of its own.
 *
 * Owns: all sockets. Called by: everything in `wire/` that sends.
 * Invariants: I1 one connection per address and purpose; I2 a closed one is replaced at the next call; I3 none survives `close`.
 */
export class BrokerLinks {
  /** The addresses that were given. */
  readonly bootstrap: readonly Address[];
  readonly #options: BrokerLinksOptions;
  readonly #buffers = new ResponseBuffers();
  readonly #open = new Map<string, SocketConnection>();
  readonly #opening = new Map<string, Promise<Transport>>();
  #isClosed = false;

  /** Connects nowhere yet. Throws `CONFIG` for an address that is not `host:port`. */
  constructor(options: BrokerLinksOptions) {
    this.#options = options;
    this.bootstrap = options.bootstrapServers.map(parseAddress);
  }

  /** The open connection, without a turn of the event loop. */
  openConnection(address: Address, purpose: string): Transport | undefined {
    const connection = this.#open.get(keyOf(address, purpose));
    return connection?.isOpen ? connection : undefined;
  }

  /** One attempt; backing off is the caller's work. */
  connect(address: Address, purpose: string): Promise<Transport> {
    const open = this.openConnection(address, purpose);
    if (open !== undefined) return Promise.resolve(open);
    const key = keyOf(address, purpose);
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#connect(address, key).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return opening;
  }

  /** Closes the connections of one purpose, e.g. of a consumer that ends. */
  closePurpose(purpose: string): void {
    for (const [key, connection] of this.#open) {
      if (!key.endsWith(`/${purpose}`)) continue;
      this.#open.delete(key);
      connection.close();
    }
  }

  /** Closes all connections; requests in flight reject, and no connection is opened any more. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }

  async #connect(address: Address, key: string): Promise<Transport> {
    if (this.#isClosed)
      throw new BrokerError('The broker object is closed', { kafkaCode: NO_ANSWER, retriable: false });
    const { clientId, clock, ssl, sasl, mapAddress } = this.#options;
    const { host, port } = mapAddress?.(address) ?? address;
    const connection = new SocketConnection({ host, port, clientId, clock, ssl, sasl, buffers: this.#buffers });
    this.#open.set(key, connection);
    try {
      await connection.open();
      return connection;
    } catch (error) {
      if (this.#open.get(key) === connection) this.#open.delete(key);
      throw error;
    }
  }
}

function keyOf(address: Address, purpose: string): string {
  return `${address.host}:${address.port}/${purpose}`;
}

/** `host:port`, with IPv6 hosts in brackets. */
function parseAddress(text: string): Address {
  const match = /^\[?([^\]]+)\]?:(\d+)$/.exec(text.trim());
  if (match === null) throw new StreamsError(`"${text}" is not host:port`, { code: 'CONFIG', recovery: 'fail' });
  return { host: match[1] as string, port: Number(match[2]) };
}

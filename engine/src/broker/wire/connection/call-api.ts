import { type API, type Callback, type Connection, Reader, ResponseError, type Writer } from '@platformatic/kafka';
import type { Transport } from './transport.ts';

/** Longest wait for the answer of a control request; joins wait longer. */
export const CONTROL_TIMEOUT_MS = 30_000;

/** The one method of the library's connection that its request functions use. */
interface RequestSink {
  send<R>(
    apiKey: number,
    apiVersion: number,
    createPayload: () => Writer,
    parse: (correlationId: number, apiKey: number, apiVersion: number, reader: Reader) => R,
    flexibleRequest: boolean,
    flexibleResponse: boolean,
    callback: Callback<R>,
  ): void;
}

/** Lets the library's request functions send through our transport. */
export function asConnection(transport: Transport, timeoutMs = CONTROL_TIMEOUT_MS): Connection {
  const sink: RequestSink = {
    send(apiKey, apiVersion, createPayload, parse, flexibleRequest, flexibleResponse, callback) {
      const body = [createPayload().buffer];
      transport.send({ apiKey, apiVersion, body, timeoutMs, flexibleRequest, flexibleResponse }).then(
        ({ shared, start, end }) => {
          let parsed: Parameters<typeof callback>[1];
          try {
            // A copy: what the parser returns may point into it, and the answer buffer is reused.
            parsed = parse(0, apiKey, apiVersion, Reader.from(Buffer.from(shared.buffer.subarray(start, end))));
          } catch (error) {
            callback(error as Error);
            return;
          } finally {
            shared.release();
          }
          callback(null, parsed);
        },
        (error: Error) => callback(error),
      );
    },
  };
  return sink as unknown as Connection;
}

/**
 * Sends one control request by the library's typed request function. An answer with an error code does not reject: the
 * caller looks at the codes, since which of them matter depends on the call.
 */
export function callApi<A extends unknown[], R>(
  target: Transport | Connection,
  api: API<A, R>,
  ...args: A
): Promise<R> {
  const connection = 'isOpen' in target ? asConnection(target) : target;
  return new Promise((resolve, reject) => {
    const callback: Callback<R> = (error, response) => {
      if (error instanceof ResponseError && error.response !== undefined) resolve(error.response as R);
      else if (error) reject(error);
      else resolve(response as R);
    };
    (api as unknown as (connection: Connection, ...rest: unknown[]) => void)(connection, ...args, callback);
  });
}

import {
  ResponseError,
  saslAuthenticateV2,
  saslHandshakeV1,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
} from '@platformatic/kafka';
import { BrokerError, StreamsError } from '../../../base/errors.ts';
import { asConnection, callApi } from './call-api.ts';
import type { Transport } from './transport.ts';

/** How the client proves who it is. */
export type SaslCredentials =
  | {
      /**
       * `PLAIN` sends the password as it is, so use it with `ssl` only; the `SCRAM` mechanisms prove that both sides
       * know it.
       */
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      /** Name of the user or service. */
      readonly username: string;
      /** Its password. */
      readonly password: string;
    }
  | {
      /** A token of an identity provider. */
      readonly mechanism: 'OAUTHBEARER';
      /** The token, or what is asked for one at each new connection. */
      readonly token: string | (() => Promise<string>);
    };

/** Authenticates a fresh connection; rejects with code `AUTHORIZATION`. */
export async function authenticate(transport: Transport, sasl: SaslCredentials): Promise<void> {
  const connection = asConnection(transport);
  try {
    const { errorCode, mechanisms } = await callApi(connection, saslHandshakeV1.api, sasl.mechanism);
    if (errorCode !== 0) throw new Error(`the broker offers ${mechanisms.join(', ')}, not ${sasl.mechanism}`);
    const api = saslAuthenticateV2.api;
    let answer: { readonly errorCode: number; readonly errorMessage: string | null | undefined };
    switch (sasl.mechanism) {
      case 'PLAIN':
        answer = await saslPlain.authenticate(api, connection, sasl.username, sasl.password);
        break;
      case 'SCRAM-SHA-256':
        answer = await saslScramSha.authenticate(api, connection, 'SHA-256', sasl.username, sasl.password);
        break;
      case 'SCRAM-SHA-512':
        answer = await saslScramSha.authenticate(api, connection, 'SHA-512', sasl.username, sasl.password);
        break;
      case 'OAUTHBEARER':
        answer = await saslOAuthBearer.authenticate(api, connection, sasl.token, {});
        break;
    }
    if (answer.errorCode !== 0) throw new Error(answer.errorMessage ?? `error ${answer.errorCode}`);
  } catch (cause) {
    // A broker that can't be reached at the moment has not refused anybody.
    if (cause instanceof BrokerError) throw cause;
    throw new StreamsError(`SASL ${sasl.mechanism} failed: ${reasonOf(cause)}`, {
      code: 'AUTHORIZATION',
      recovery: 'fail',
      cause,
    });
  }
}

/** The broker's own words where it gave a reason. */
function reasonOf(cause: unknown): string {
  const told = cause instanceof ResponseError ? cause : (cause as { cause?: unknown } | undefined)?.cause;
  if (told instanceof ResponseError && typeof told.response?.errorMessage === 'string')
    return told.response.errorMessage;
  return cause instanceof Error ? cause.message : String(cause);
}

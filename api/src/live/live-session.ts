import type { LiveFrame, LiveMessage } from '@chip-quality/schemas';
import { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import type { LiveFeed } from '../ports.ts';

/** What a session needs of a WebSocket. `send` may close the connection when its client is too slow. */
export interface LiveConnection {
  /** Sends one text frame. */
  send(text: string): void;
  /** Closes with a code of {@link CLOSE_CODES}. */
  close(code: number, reason: string): void;
}

/** Application close codes (4000–4999), so that a client knows whether to come back. */
export const CLOSE_CODES = {
  /** The token has expired: get another one first. */
  tokenExpired: 4401,
  /** The server goes away (RFC 6455): come back with epoch and offset. */
  goingAway: 1001,
} as const;

/** `?epoch=&offset=`: where a client was when it lost its connection. */
export const ResumeQuery = z.object({
  epoch: z.uuid(),
  offset: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
});

/** Where to resume, if the client says so. */
export type ResumePoint = z.output<typeof ResumeQuery>;

/**
 * One client of the live feed: a snapshot or the missed messages first, then every message, heartbeats in between.
 *
 * The protocol, server to client, is one {@link LiveFrame} a frame, as JSON. Clients send nothing.
 *
 * Owns: the subscription of one connection.
 * Called by: the WebSocket endpoint.
 * Invariants:
 *  I1 between snapshot (or resume) and subscription nothing is awaited, so no message is lost or sent twice;
 *  I2 after {@link end} nothing is sent.
 */
export class LiveSession {
  readonly #connection: LiveConnection;
  readonly #feed: LiveFeed;
  readonly #principal: Principal;
  #unsubscribe: (() => void) | undefined;
  #epoch = '';
  #offset = 0;

  /** Sends nothing before `start`. */
  constructor(connection: LiveConnection, feed: LiveFeed, principal: Principal) {
    this.#connection = connection;
    this.#feed = feed;
    this.#principal = principal;
  }

  /** Sends what the client missed since its resume point, or a snapshot; from then on each message. */
  start(resume: ResumePoint | undefined, nowMs: number): void {
    const at = new Date(nowMs).toISOString();
    const { tenantId } = this.#principal;
    const missed = resume === undefined ? undefined : this.#feed.since(tenantId, resume.epoch, resume.offset);
    this.#unsubscribe = this.#feed.subscribe(tenantId, (message) => this.#deliver(message));
    if (resume !== undefined && missed !== undefined) {
      this.#epoch = resume.epoch;
      this.#offset = resume.offset;
      this.#send({ type: 'resumed', epoch: resume.epoch, offset: resume.offset, at });
      for (const message of missed) this.#deliver(message);
      return;
    }
    if (resume !== undefined) this.#send({ type: 'resync', reason: 'The messages since this offset are gone' });
    this.#sendSnapshot(at);
  }

  /** Sends the heartbeat, or ends a session whose token has expired. */
  heartbeat(nowMs: number): void {
    if (this.#unsubscribe === undefined) return;
    if (nowMs >= this.#principal.expiresAtMs) {
      this.#connection.close(CLOSE_CODES.tokenExpired, 'token expired');
      return;
    }
    this.#send({ type: 'heartbeat', epoch: this.#epoch, offset: this.#offset, at: new Date(nowMs).toISOString() });
  }

  /** The connection is closed, or about to be. */
  end(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #sendSnapshot(at?: string): void {
    const snapshot = this.#feed.snapshot(this.#principal.tenantId);
    this.#epoch = snapshot.epoch;
    this.#offset = snapshot.offset;
    this.#send({ type: 'snapshot', ...(at === undefined ? {} : { at }), ...snapshot });
  }

  #deliver(message: LiveMessage): void {
    if (this.#unsubscribe === undefined) return;
    if (message.offset !== this.#offset + 1) {
      // The feed began another epoch under us.
      this.#send({ type: 'resync', reason: 'The feed started again' });
      this.#sendSnapshot();
      return;
    }
    this.#offset = message.offset;
    this.#connection.send(encode(this.#epoch, message));
  }

  #send(frame: LiveFrame): void {
    this.#connection.send(JSON.stringify(frame));
  }
}

/** The same message goes to every client: written once. */
const encoded = new WeakMap<LiveMessage, string>();

function encode(epoch: string, message: LiveMessage): string {
  let text = encoded.get(message);
  if (text === undefined) {
    const { type, offset, data } = message;
    text = JSON.stringify({ type, epoch, offset, data } satisfies Record<keyof LiveMessage | 'epoch', unknown>);
    encoded.set(message, text);
  }
  return text;
}

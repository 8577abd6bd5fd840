import type { Socket } from 'node:net';
import type { ServiceName, StackEndpoints } from './services/service.ts';

/**
 * What the users of a stack and its supervisor say to each other: one JSON object a line over a local socket. A user
 * holds the stack as long as its connection lives, so that a user that crashes lets go of it, too.
 */
export type UserMessage =
  | {
      readonly type: 'hold';
      readonly version: number;
      readonly services: readonly ServiceName[];
      readonly durable: boolean;
      readonly modelRepository: string;
    }
  | { readonly type: 'release'; readonly lingerMs: number };

/** What a supervisor says to its users. */
export type SupervisorMessage =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready'; readonly endpoints: StackEndpoints }
  | { readonly type: 'failed'; readonly message: string }
  /** The release was heard; `stopped` tells whether that was the last user and everything is down now. */
  | { readonly type: 'released'; readonly stopped: boolean }
  /** A service ended by itself. The supervisor starts it again, on the same addresses. */
  | { readonly type: 'service-ended'; readonly service: ServiceName; readonly how: string; readonly restarts: boolean };

/** Raised when messages change their meaning; an old supervisor is then replaced, not misunderstood. */
export const PROTOCOL_VERSION = 1;
/** Purpose string of the supervisor's socket address. */
export const CONTROL_PURPOSE = 'stack control';
/** Far beyond any message; protects against a stranger on the socket. */
const LINE_CHARACTERS_MAX = 1_000_000;

/** Sends a message, unless the other side has gone. */
export function sendMessage(socket: Socket, message: UserMessage | SupervisorMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `handle` for each message that arrives; ends the connection on anything that is not one. */
export function onMessages<T>(socket: Socket, handle: (message: T) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    if (pending.length > LINE_CHARACTERS_MAX) {
      socket.destroy(new Error('message too long'));
      return;
    }
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      let message: T;
      try {
        message = JSON.parse(line) as T;
      } catch (error) {
        socket.destroy(error as Error);
        return;
      }
      handle(message);
    }
  });
}

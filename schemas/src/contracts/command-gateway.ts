import type { Operation } from '../vocabulary.ts';

/** What a client asks to change, as the API hands it over. */
export interface CommandRequest {
  /** Correlation id: the reply carries it back. UUIDv7. */
  readonly requestId: string;
  /** Tenant of the caller. */
  readonly tenantId: string;
  /** JWT subject of the caller. */
  readonly subject: string;
  /** As the client sent it, at most 255 characters. */
  readonly idempotencyKey: string;
  /** What is to be done. */
  readonly operation: Operation;
  /** Id of the part, lot or inspection the command is for (already derived for creates), or the model's name. */
  readonly resourceId: string;
  /** Validated body plus what the API resolved (lot snapshot, artifact facts, golden reference). */
  readonly payload: Readonly<Record<string, unknown>>;
  /** SHA-256, hex, of operation, path and the client's body in canonical JSON: tells a replay from a reuse of the key. */
  readonly payloadHash: string;
  /** W3C trace context; empty when there was none. */
  readonly traceparent: string;
  /** When the API received it, epoch ms. */
  readonly receivedAtMs: number;
}

/** What came of a {@link CommandRequest}. */
export interface CommandReply {
  /** HTTP status. */
  readonly status: number;
  /** Resource on success, problem details on 4xx. */
  readonly body: Readonly<Record<string, unknown>>;
  /** True where this is the stored answer of an earlier request with the same key. */
  readonly replayed: boolean;
}

/** The way of commands to the actors and of their answers back. The API calls it, `sinks/` implements it over Kafka. */
export interface CommandGateway {
  /**
   * Rejects with `UnavailableError` when no answer comes in time, after which the client may repeat with the same key, and with the
   * signal's reason when aborted.
   */
  execute(request: CommandRequest, signal: AbortSignal): Promise<CommandReply>;
  /** Whether a command would be taken now. */
  isReady(): boolean;
}

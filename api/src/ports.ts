/**
 * What the API asks of the rest of the platform. `app/` injects the implementations; the API itself validates, asks and
 * answers. Field names inside payloads and views are the API's JSON (snake_case).
 */

import type {
  DefectView,
  InspectionFilter,
  InspectionList,
  InspectionView,
  LotView,
  ModelView,
  PartView,
} from '@chip-quality/schemas';

export type {
  ArtifactView,
  DefectView,
  InspectionFilter,
  InspectionList,
  InspectionView,
  LotView,
  ModelDeploymentView,
  ModelView,
  PartView,
} from '@chip-quality/schemas';

/** The platform's operations that change something; each goes through the idempotency actor. */
export type Operation =
  | 'part.create'
  | 'part.confirm_golden'
  | 'lot.create'
  | 'inspection.create'
  | 'inspection.confirm_artifact'
  | 'inspection.infer'
  | 'model.deploy'
  | 'model.rollback';

export interface CommandRequest {
  /** Correlation id: the reply carries it back. UUIDv7. */
  readonly requestId: string;
  readonly tenantId: string;
  /** JWT subject. */
  readonly subject: string;
  /** As the client sent it, at most 255 characters. */
  readonly idempotencyKey: string;
  readonly operation: Operation;
  /** Id of the part, lot or inspection the command is for (already derived for creates), or the model's name. */
  readonly resourceId: string;
  /** Validated body plus what the API resolved (lot snapshot, artifact facts, golden reference). */
  readonly payload: Readonly<Record<string, unknown>>;
  /** SHA-256, hex, of operation, path and the client's body in canonical JSON: tells a replay from a reuse of the key. */
  readonly payloadHash: string;
  /** W3C trace context. */
  readonly traceparent: string;
  /** Epoch ms. */
  readonly receivedAtMs: number;
}

export interface CommandReply {
  /** HTTP status. */
  readonly status: number;
  /** Resource on success, problem details on 4xx. */
  readonly body: Readonly<Record<string, unknown>>;
  /** True where this is the stored answer of an earlier request with the same key. */
  readonly replayed: boolean;
}

/** Rejects with {@link UnavailableError} when no answer comes in time: the client may repeat with the same key. */
export interface CommandGateway {
  execute(request: CommandRequest, signal: AbortSignal): Promise<CommandReply>;
  ready(): boolean;
}

/** The platform can't answer now; becomes 503 with `Retry-After`. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Point reads and live lists from the keyed stores. Reject with {@link UnavailableError} while a store is moving. */
export interface Queries {
  inspection(tenantId: string, id: string): Promise<InspectionView | undefined>;
  inspections(tenantId: string, filter: InspectionFilter): Promise<InspectionList>;
  part(tenantId: string, id: string): Promise<PartView | undefined>;
  lot(tenantId: string, id: string): Promise<LotView | undefined>;
}

/** The models of the repository with what is deployed of them. Rejects with {@link UnavailableError} while state is moving. */
export interface Models {
  /** By name. */
  list(): Promise<readonly ModelView[]>;
  model(name: string): Promise<ModelView | undefined>;
}

export interface ObjectHead {
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Entity tag without quotes: the MD5 of a simple upload. */
  readonly etag: string;
}

/**
 * The object store. An error with `code: 'OBJECT_STORE_UNAVAILABLE'` becomes 503, like {@link UnavailableError}: the store's
 * adapter does not know this package.
 */
export interface Objects {
  presignPut(
    key: string,
    options: { readonly contentType: string; readonly expiresInSeconds: number },
  ): Promise<string>;
  presignGet(key: string, expiresInSeconds: number): Promise<string>;
  head(key: string): Promise<ObjectHead | undefined>;
}

/** One message of the live feed; `offset` grows by one within an `epoch`. */
export type LiveMessage =
  | { readonly type: 'yield'; readonly offset: number; readonly data: LineYieldView }
  | { readonly type: 'board'; readonly offset: number; readonly data: BoardView };

/** Yield of a line in one minute. */
export interface LineYieldView {
  readonly line_id: string;
  /** ISO 8601, start of the minute. */
  readonly window_start: string;
  readonly inspected: number;
  readonly passed: number;
  readonly failed: number;
  /** Boards whose inference failed: no verdict, not in `inspected`. */
  readonly errored: number;
  /** passed / inspected of first attempts; null where no board got a verdict. */
  readonly first_pass_yield: number | null;
  readonly defects: Readonly<Record<string, number>>;
}

/** A finished board for the page. */
export interface BoardView {
  readonly inspection_id: string;
  readonly line_id: string | null;
  readonly chip_id: string;
  readonly status: 'completed' | 'failed';
  readonly verdict: 'pass' | 'fail' | null;
  readonly defects: readonly DefectView[];
  readonly failure_reason: string | null;
  readonly artifact_id: string | null;
  readonly completed_at: string;
  /** From creation to completion, ms. */
  readonly latency_ms: number;
}

export interface LiveSnapshot {
  /** Changes when the feed restarts: offsets of another epoch can't be resumed. */
  readonly epoch: string;
  readonly offset: number;
  readonly yields: readonly LineYieldView[];
  readonly boards: readonly BoardView[];
}

/** Per-tenant live feed; keeps a bounded history so that a client may resume from an offset. */
export interface LiveFeed {
  snapshot(tenantId: string): LiveSnapshot;
  /** Messages after `offset` of `epoch`, or undefined when they are gone (`resync`). */
  since(tenantId: string, epoch: string, offset: number): readonly LiveMessage[] | undefined;
  subscribe(tenantId: string, listener: (message: LiveMessage) => void): () => void;
}

/** Time and ids, so that tests own them. */
export interface ApiClock {
  nowMs(): number;
}

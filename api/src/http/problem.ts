import { STATUS_CODES } from 'node:http';

/** One wrong field of a request. */
export interface FieldError {
  /** Where the field is: in the JSON `body`, the `path`, the `query` or a `header`. */
  readonly in: 'body' | 'path' | 'query' | 'header';
  /** Path inside it, dots between names, such as `metadata.operator`; empty for the whole. */
  readonly field: string;
  /** What is wrong with it, for people. */
  readonly message: string;
}

/** Problem details (RFC 9457), the body of every answer with a status of 400 or more. */
export interface Problem {
  /** Stable name of the kind of problem, for programs. */
  readonly type: string;
  /** What this kind of problem is, for people; the same for every occurrence. */
  readonly title: string;
  /** The answer's status, repeated for clients that keep only the body. */
  readonly status: number;
  /** What was wrong this time, for people. */
  readonly detail: string;
  /** The request: `urn:uuid:` and the request id, the same as in `X-Request-Id`. */
  readonly instance?: string;
  /** The fields that are wrong, where fields are. */
  readonly errors?: readonly FieldError[];
}

/** Prefix of every problem's `type`. A URN, since the platform has no public address of its own. */
export const PROBLEM_TYPE_PREFIX = 'urn:chip-quality:problem:';

/** Media type of problem details. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The kinds of problem the API itself reports, with status and title. Actors add kinds of their own (`duplicate`, …). */
export const PROBLEM_KINDS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'idempotency-key-required': { status: 400, title: 'Idempotency-Key is required' },
  unauthenticated: { status: 401, title: 'A valid token is required' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'request-timeout': { status: 408, title: 'The body came too slowly' },
  'not-uploaded': { status: 409, title: 'The artifact is not uploaded' },
  'artifact-changed': { status: 409, title: 'The artifact is not what was confirmed' },
  'not-deployable': { status: 409, title: 'Boards are not judged with this model by itself' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'upload-too-large': { status: 413, title: 'The uploaded object is too large' },
  'unsupported-media-type': { status: 415, title: 'Only application/json is understood' },
  'upload-mismatch': { status: 422, title: 'The uploaded object is not what was announced' },
  'unknown-reference': { status: 422, title: 'The request refers to something unknown' },
  'upgrade-required': { status: 426, title: 'This is a WebSocket' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Not available at the moment' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The last part of a problem's `type`. */
export type ProblemKind = keyof typeof PROBLEM_KINDS;

/** Thrown anywhere under a handler; becomes the answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** What the client gets, without `instance`. */
  readonly problem: Problem;
  /** Headers that belong to the answer, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  /** `detail` says what was wrong this time and what to do; the client reads it. */
  constructor(
    kind: ProblemKind,
    detail: string,
    more: { errors?: readonly FieldError[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.problem = {
      type: `${PROBLEM_TYPE_PREFIX}${kind}`,
      ...PROBLEM_KINDS[kind],
      detail,
      ...(more.errors === undefined ? {} : { errors: more.errors }),
    };
    this.headers = more.headers ?? {};
  }
}

/**
 * Makes problem details of a body that came from elsewhere (an actor's reply), filling in what it left out, so that a
 * client can rely on the five members.
 */
export function completeProblem(status: number, body: Readonly<Record<string, unknown>>): Problem {
  const text = (name: string, fallback: string) => (typeof body[name] === 'string' ? (body[name] as string) : fallback);
  const title = text('title', STATUS_CODES[status] ?? 'Error');
  return { ...body, type: text('type', 'about:blank'), title, status, detail: text('detail', title) };
}

/** One wrong field of a request. */
export interface FieldError {
  /** Where the field is. */
  readonly in: 'body' | 'path' | 'query' | 'header';
  /** Path inside it, dots between names, such as `metadata.operator`; empty for the whole. */
  readonly field: string;
  /** What is wrong with it, for people. */
  readonly message: string;
}

/**
 * Problem details (RFC 9457), the body of every answer with a status of 400 or more. Actors may add members of their own, e.g. the
 * id of what exists already.
 */
export interface Problem {
  /** Stable name of the kind of problem, for programs: {@link PROBLEM_TYPE_PREFIX} and a key of one of the tables. */
  readonly type: string;
  /** What kind of problem it is, for people. */
  readonly title: string;
  /** HTTP status. */
  readonly status: number;
  /** What was wrong this time, for people. */
  readonly detail: string;
  /** The request, `urn:uuid:` and the request id, the same as in `X-Request-Id`; the API adds it. */
  readonly instance?: string;
  /** Wrong fields, where the API knows them. */
  readonly errors?: readonly FieldError[];
}

/** Prefix of every problem's `type`. A URN, since the platform has no public address of its own. */
export const PROBLEM_TYPE_PREFIX = 'urn:chip-quality:problem:';

/** The kinds of problem that the API itself reports, with status and title. */
export const API_PROBLEMS = {
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
} as const;

/** The kinds of problem that actors answer commands with, with status and title; the API passes them on. */
export const ACTOR_PROBLEMS = {
  'not-found': { status: 404, title: 'Not found' },
  duplicate: { status: 409, title: 'It exists already' },
  'key-in-flight': { status: 409, title: 'A request with this Idempotency-Key is being processed' },
  'no-image': { status: 409, title: 'No confirmed image' },
  'inference-in-progress': { status: 409, title: 'An inference is running' },
  'artifact-changed': { status: 409, title: 'The artifact was confirmed with other content' },
  'nothing-to-roll-back': { status: 409, title: 'There is no earlier version' },
  'too-many': { status: 409, title: 'There are too many already' },
  'key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'unknown-operation': { status: 422, title: 'The operation is not known' },
} as const;

/** One wrong field of a request. */
export interface FieldError {
  /** Where the field is: in the `body`, the `path`, the `query` or a `header`. */
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
  /** As all problems of the kind have it. */
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

/** What all problems of a kind have in common. */
export interface ProblemHeading {
  /** HTTP status. */
  readonly status: number;
  /** What kind of problem it is, for people. */
  readonly title: string;
}

function kind(status: number, title: string): ProblemHeading {
  return { status, title };
}

/** The kinds of problem that the API itself reports, with status and title. */
export const API_PROBLEMS = {
  /** Parameters or body are wrong; `errors` names the fields. */
  'invalid-request': kind(400, 'The request is not valid'),
  /** The body can not be parsed. */
  'malformed-json': kind(400, 'The body is not JSON'),
  /** A command came without its key. */
  'idempotency-key-required': kind(400, 'Idempotency-Key is required'),
  /** There is no token, or it is not valid any more. */
  unauthenticated: kind(401, 'A valid token is required'),
  /** The token lacks the scope that the route asks for. */
  forbidden: kind(403, 'The token does not allow this'),
  /** There is no such path or resource, or it is of another tenant. */
  'not-found': kind(404, 'Not found'),
  /** The path knows other methods; `Allow` names them. */
  'method-not-allowed': kind(405, 'Method not allowed'),
  /** The client took too long to send. */
  'request-timeout': kind(408, 'The body came too slowly'),
  /** Nothing lies where the artifact was to be uploaded: upload, then confirm again. */
  'not-uploaded': kind(409, 'The artifact is not uploaded'),
  /** The object was replaced or is gone since its confirmation. */
  'artifact-changed': kind(409, 'The artifact is not what was confirmed'),
  /** The model has no deployment to change. */
  'not-deployable': kind(409, 'Boards are not judged with this model by itself'),
  /** The API reads no more than its limit. */
  'body-too-large': kind(413, 'The body is too large'),
  /** The object exceeds the limit of uploads. */
  'upload-too-large': kind(413, 'The uploaded object is too large'),
  /** Another `Content-Type` came. */
  'unsupported-media-type': kind(415, 'Only application/json is understood'),
  /** Size, checksum or type differ from what the client says. */
  'upload-mismatch': kind(422, 'The uploaded object is not what was announced'),
  /** A field names something that does not exist; `errors` names the field. */
  'unknown-reference': kind(422, 'The request refers to something unknown'),
  /** An ordinary request came where a socket is to be opened. */
  'upgrade-required': kind(426, 'This is a WebSocket'),
  /** Repeat after `Retry-After`. */
  'rate-limited': kind(429, 'Too many requests'),
  /** A defect of the platform; its log has more under the request id. */
  internal: kind(500, 'Internal error'),
  /** An outage; repeat after `Retry-After`, commands with the same key. */
  unavailable: kind(503, 'Not available at the moment'),
};

/** The kinds of problem that actors answer commands with, with status and title; the API passes them on. */
export const ACTOR_PROBLEMS = {
  /** The resource did not exist when the command came, or is of another tenant. */
  'not-found': kind(404, 'Not found'),
  /** Something with the same identity exists; a member names its id. */
  duplicate: kind(409, 'It exists already'),
  /** The first request with this key has no answer yet: repeat later. */
  'key-in-flight': kind(409, 'A request with this Idempotency-Key is being processed'),
  /** An inference was asked for before an image was confirmed. */
  'no-image': kind(409, 'No confirmed image'),
  /** `request_id` is the job that runs. */
  'inference-in-progress': kind(409, 'An inference is running'),
  /** The same artifact was confirmed before: upload as a new one. */
  'artifact-changed': kind(409, 'The artifact was confirmed with other content'),
  /** No other version was in production. */
  'nothing-to-roll-back': kind(409, 'There is no earlier version'),
  /** The resource has as many of these as it may. */
  'too-many': kind(409, 'There are too many already'),
  /** Operation, path or body differ from the first request with this key. */
  'key-reused': kind(422, 'The Idempotency-Key was used for another request'),
  /** No actor takes it: the API is newer than the actors. */
  'unknown-operation': kind(422, 'The operation is not known'),
};

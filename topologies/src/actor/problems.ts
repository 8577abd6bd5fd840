/** Problem details (RFC 9457) as an actor answers them; the API adds `instance`. */
export interface ActorProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

const TYPE_PREFIX = 'urn:chip-quality:problem:';

const kinds = {
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

/** Kinds that actors report. */
export type ActorProblemKind = keyof typeof kinds;

/** Makes problem details; `extensions` are further members, e.g. the id of the existing resource. */
export function problem(
  kind: ActorProblemKind,
  detail: string,
  extensions: Readonly<Record<string, unknown>> = {},
): ActorProblem {
  return { type: TYPE_PREFIX + kind, ...kinds[kind], detail, ...extensions };
}

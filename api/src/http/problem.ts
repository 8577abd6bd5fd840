import { STATUS_CODES } from 'node:http';
import { API_PROBLEMS, type FieldError, PROBLEM_TYPE_PREFIX, type Problem } from '@chip-quality/schemas';

/** Media type of problem details. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** A kind of problem that the API itself reports: the last part of its `type`. */
export type ProblemKind = keyof typeof API_PROBLEMS;

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
      ...API_PROBLEMS[kind],
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

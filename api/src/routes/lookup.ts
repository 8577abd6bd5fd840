import { ProblemError } from '../http/problem.ts';

/** The thing a path names, or 404. */
export function found<T>(value: T | undefined, kind: string, id: string): T {
  if (value === undefined) throw new ProblemError('not-found', `There is no ${kind} ${id}.`);
  return value;
}

/** The thing a body's field refers to, or 422 naming the field. */
export function referred<T>(value: T | undefined, kind: string, field: string, id: string): T {
  if (value === undefined) {
    const message = `There is no ${kind} ${id}`;
    throw new ProblemError('unknown-reference', `${message}.`, { errors: [{ in: 'body', field, message }] });
  }
  return value;
}

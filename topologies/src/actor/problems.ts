import { ACTOR_PROBLEMS, PROBLEM_TYPE_PREFIX, type Problem } from '@chip-quality/schemas';

/** Problem details as an actor answers them. */
export interface ActorProblem extends Problem {
  /** Further members, e.g. the id of what exists already. */
  readonly [extension: string]: unknown;
}

/** Kinds that actors report. */
export type ActorProblemKind = keyof typeof ACTOR_PROBLEMS;

/** Makes problem details; `extensions` are further members, e.g. the id of the existing resource. */
export function problem(
  kind: ActorProblemKind,
  detail: string,
  extensions: Readonly<Record<string, unknown>> = {},
): ActorProblem {
  return { type: PROBLEM_TYPE_PREFIX + kind, ...ACTOR_PROBLEMS[kind], detail, ...extensions };
}

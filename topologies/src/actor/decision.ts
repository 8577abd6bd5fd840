import type { Command, Rejection } from '@chip-quality/schemas';
import { type ActorProblem, problem } from './problems.ts';

/** Refusals that an actor remembers per resource: more than a redelivered commit interval holds for one resource. */
export const REJECTIONS_MAX = 8;

/** What an actor does with one input record. */
export interface Decision<State, Event> {
  /** New state; undefined: unchanged. */
  readonly state?: State;
  /** HTTP answer; undefined for inputs that nobody waits for. */
  readonly answer?: { readonly status: number; readonly body: object };
  readonly events: readonly Event[];
}

/** A refusal without a trace in the state: a redelivery comes to the same result by itself. */
export function refuse(refusal: ActorProblem): Decision<never, never> {
  return { answer: { status: refusal.status, body: refusal }, events: [] };
}

/** The answer to a command that this resource has refused before. */
export function refusedBefore(rejections: readonly Rejection[], command: Command): Decision<never, never> | undefined {
  const rejection = rejections.find((candidate) => candidate.command_id === command.command_id);
  if (rejection === undefined) return undefined;
  return { answer: { status: rejection.status, body: JSON.parse(rejection.body) as object }, events: [] };
}

/** A refusal that depends on the state of the moment, and therefore is remembered. */
export function refuseAndRemember<State extends { readonly rejections: readonly Rejection[] }>(
  state: State,
  command: Command,
  refusal: ActorProblem,
): Decision<State, never> {
  const rejection: Rejection = {
    command_id: command.command_id,
    status: refusal.status,
    body: JSON.stringify(refusal),
  };
  return {
    ...refuse(refusal),
    state: { ...state, rejections: [...state.rejections, rejection].slice(-REJECTIONS_MAX) },
  };
}

/** The resource doesn't exist, belongs to another tenant, or didn't exist when the command came. */
export function notFound(what: string, command: Command): Decision<never, never> {
  return refuse(problem('not-found', `There is no ${what} ${command.resource_id}.`));
}

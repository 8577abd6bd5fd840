import type {
  Command,
  ModelDeployment,
  ModelDeploymentState,
  ModelDeployPayload,
  ModelRollbackPayload,
  ModelSuspendPayload,
} from '@chip-quality/schemas';
import { type Decision, REJECTIONS_MAX } from '../actor/decision.ts';
import { problem } from '../actor/problems.ts';
import { modelDeploymentView } from '../views.ts';

/** Versions that a rollback can still reach; older ones are forgotten. */
export const HISTORY_MAX = 10;

/** What the deployment actor decided. */
export type DeploymentDecision = Decision<ModelDeploymentState, ModelDeployment>;

/** Puts a version into production and, where asked, another one on trial. */
export function decideDeploy(command: Command, state: ModelDeploymentState | undefined): DeploymentDecision {
  const repeated = answeredBefore(command, state);
  if (repeated !== undefined) return repeated;
  const { production, candidate: wanted, initial } = JSON.parse(command.payload) as ModelDeployPayload;
  const candidate = wanted == null ? null : { ...wanted, suspended_at: null };
  const now = state?.deployment ?? undeployed(command, initial);
  const history = production === now.production ? now.history : [...now.history, now.production].slice(-HISTORY_MAX);
  return changed(command, state, { ...now, production, candidate, history });
}

/**
 * Takes the newest change of what judges back: the version on trial where there is one, else the version in production in favour
 * of the one before. One call always suffices to get rid of a version that has just begun to misbehave.
 */
export function decideRollback(command: Command, state: ModelDeploymentState | undefined): DeploymentDecision {
  const repeated = answeredBefore(command, state);
  if (repeated !== undefined) return repeated;
  const { initial } = JSON.parse(command.payload) as ModelRollbackPayload;
  const now = state?.deployment ?? undeployed(command, initial);
  if (now.candidate !== null) return changed(command, state, { ...now, candidate: null });
  const before = now.history.at(-1);
  if (before === undefined) {
    const refusal = problem(
      'nothing-to-roll-back',
      `No version of ${command.resource_id} was in production before ${now.production}.`,
    );
    return {
      answer: { status: refusal.status, body: refusal },
      events: [],
      ...(state === undefined ? {} : { state: remember(command, state, refusal.status, refusal) }),
    };
  }
  return changed(command, state, { ...now, production: before, history: now.history.slice(0, -1) });
}

/**
 * Ends the trial of a candidate that goes on failing, on the word of a worker: nobody is answered, and nothing changes
 * where another deployment has been made meanwhile.
 */
export function decideSuspend(command: Command, state: ModelDeploymentState | undefined): DeploymentDecision {
  const repeated = answeredBefore(command, state);
  if (repeated !== undefined) return { events: repeated.events };
  const { revision } = JSON.parse(command.payload) as ModelSuspendPayload;
  const now = state?.deployment;
  if (now?.candidate == null || now.revision !== revision) return { events: [] };
  const candidate = { ...now.candidate, suspended_at: command.issued_at };
  const { state: suspended, events } = changed(command, state, { ...now, candidate });
  return { ...(suspended === undefined ? {} : { state: suspended }), events };
}

/** A redelivered command: the deployment goes out again, in case it was lost with a crash; readers know its revision. */
function answeredBefore(command: Command, state: ModelDeploymentState | undefined): DeploymentDecision | undefined {
  const known = state?.answers.find(({ command_id }) => command_id === command.command_id);
  if (state === undefined || known === undefined) return undefined;
  return {
    answer: { status: known.status, body: JSON.parse(known.body) as object },
    events: known.status < 400 ? [state.deployment] : [],
  };
}

function undeployed(command: Command, initial: string): ModelDeployment {
  return {
    model_name: command.resource_id,
    revision: 0,
    production: initial,
    candidate: null,
    history: [],
    updated_at: command.issued_at,
    updated_by: command.subject,
    trace_id: command.traceparent,
  };
}

function changed(
  command: Command,
  state: ModelDeploymentState | undefined,
  wanted: ModelDeployment,
): DeploymentDecision {
  const deployment: ModelDeployment = {
    ...wanted,
    revision: wanted.revision + 1,
    updated_at: command.issued_at,
    updated_by: command.subject,
    trace_id: command.traceparent,
  };
  const body = modelDeploymentView(deployment);
  return {
    answer: { status: 200, body },
    events: [deployment],
    state: remember(command, { deployment, answers: state?.answers ?? [] }, 200, body),
  };
}

function remember(command: Command, state: ModelDeploymentState, status: number, body: object): ModelDeploymentState {
  const answer = { command_id: command.command_id, status, body: JSON.stringify(body) };
  return { ...state, answers: [...state.answers, answer].slice(-REJECTIONS_MAX) };
}

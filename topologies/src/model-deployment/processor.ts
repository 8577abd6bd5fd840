import type { ApiReply, Command, ModelDeployment, ModelDeploymentState } from '@chip-quality/schemas';
import { type KeyValueStore, type Processor, type ProcessorContext, Record } from 'millrace';
import { refuse } from '../actor/decision.ts';
import { problem } from '../actor/problems.ts';
import { replyRecord } from '../actor/reply.ts';
import { traceHeaders } from '../actor/trace-headers.ts';
import { type DeploymentDecision, decideDeploy, decideRollback, decideSuspend } from './decisions.ts';

/** Store of the deployment of each model, with what is needed to answer repetitions. */
export const MODEL_DEPLOYMENTS_STORE = 'model-deployments';

/** Child nodes that the processor names when it forwards. */
export const deploymentSinks = { deployments: 'deployments', replies: 'replies' } as const;

type Out = ModelDeployment | ApiReply;

/**
 * The deployment actor: which versions of a model judge.
 *
 * Owns: the deployments of one partition's models.
 * Called by: the task, with `model.commands`.
 * Invariants: I1 same command, same answer; I2 one change a command; I3 revisions of a model grow by one.
 */
export class DeploymentProcessor implements Processor<string, Command, string, Out> {
  #context!: ProcessorContext<string, Out>;
  #store!: KeyValueStore<string, ModelDeploymentState>;

  init(context: ProcessorContext<string, Out>): void {
    this.#context = context;
    this.#store = context.getStateStore(MODEL_DEPLOYMENTS_STORE);
  }

  process(record: Record<string, Command>): void {
    const { key, value: command, timestamp } = record;
    // Nobody writes tombstones or keyless records to this topic.
    if (key === null || command === null) return;
    const { state, events, answer } = decide(command, this.#store.get(key));
    if (state !== undefined) this.#store.put(key, state);
    const headers = traceHeaders(command.traceparent);
    for (const deployment of events) {
      this.#context.forward(
        new Record<string, Out>(key, deployment, deployment.updated_at, headers),
        deploymentSinks.deployments,
      );
    }
    if (answer !== undefined) this.#context.forward(replyRecord(command, answer, timestamp), deploymentSinks.replies);
  }
}

function decide(command: Command, state: ModelDeploymentState | undefined): DeploymentDecision {
  switch (command.operation) {
    case 'model.deploy':
      return decideDeploy(command, state);
    case 'model.rollback':
      return decideRollback(command, state);
    case 'model.suspend':
      return decideSuspend(command, state);
    default:
      return refuse(problem('unknown-operation', `The deployments don't know ${command.operation}.`));
  }
}

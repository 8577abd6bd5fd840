import { catalogFlow } from './catalog/application.ts';
import type { FlowRole } from './flow.ts';
import { idempotencyFlow } from './idempotency/application.ts';
import { inferenceFlows } from './inference/application.ts';
import { inspectionFlow } from './inspection/application.ts';
import { lineYieldFlow } from './line-yield/application.ts';
import { modelDeploymentFlow } from './model-deployment/application.ts';
import { timescaleFlow } from './timescale/application.ts';

/** Every flow of the platform. What isn't here doesn't run. */
export const flows = [
  idempotencyFlow,
  inspectionFlow,
  catalogFlow,
  modelDeploymentFlow,
  ...inferenceFlows,
  lineYieldFlow,
  timescaleFlow,
] as const;

/** One of {@link flows}. */
export type PlatformFlow = (typeof flows)[number];

/** The flows that processes of a role run. */
export type FlowsOf<Role extends FlowRole> = Extract<
  PlatformFlow,
  {
    /** The role that is asked for. */
    readonly role: Role;
  }
>;

/** The name of a store that a flow lets others query. */
export type QueryableStore = PlatformFlow['stores'][number];

/** The flows that a process in this role runs. */
export function flowsOf<Role extends FlowRole>(role: Role): readonly FlowsOf<Role>[] {
  return flows.filter((flow): flow is FlowsOf<Role> => flow.role === role);
}

/** The flow that keeps a store. */
export function ownerOf(store: QueryableStore): PlatformFlow {
  const owner = flows.find(({ stores }) => stores.some((name) => name === store));
  if (owner === undefined) throw new Error(`no flow keeps a store ${store}`);
  return owner;
}

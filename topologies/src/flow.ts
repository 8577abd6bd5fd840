import type { topics } from '@chip-quality/schemas';
import type { StreamsConfig, Topology } from 'millrace';

/**
 * Which process runs a flow: the one that answers HTTP and reads the flow's stores (`api`), or the one that works
 * (`worker`).
 */
export type FlowRole = 'api' | 'worker';

/** The name of a topic that the platform shares. */
export type PlatformTopic = (typeof topics)[keyof typeof topics];

/** Where records go that can't be read or processed; a flow without such a topic says why it needs none. */
export type FlowDeadLetters =
  | {
      /** Such records go there, with the reason in their headers. */
      readonly topic: PlatformTopic;
    }
  | {
      /** Why the flow needs no such topic. */
      readonly none: string;
    };

/** What a flow may want otherwise than the platform's other flows; the rest belongs to the process that runs it. */
export type FlowOptions = Partial<
  Omit<
    StreamsConfig,
    | 'applicationId'
    | 'bootstrapServers'
    | 'clientId'
    | 'stateDir'
    | 'groupInstanceId'
    | 'deadLetterQueueTopicName'
    | 'clock'
    | 'random'
    | 'metrics'
    | 'log'
  >
>;

/**
 * A flow of the platform as a row: all that `app/` must know to run it. A new flow is a folder with one of these, and its name in
 * `flows.ts`; whoever runs it can't forget a port, since `build` doesn't compile without.
 */
export interface Flow<Id extends string, Role extends FlowRole, Store extends string, Ports> {
  /** The application id: consumer group, prefix of internal topics, and the name in `/health/ready`. */
  readonly id: Id;
  /** Which process runs it. */
  readonly role: Role;
  /** Shared topics that the topology reads; its internal ones are not listed. */
  readonly inputs: readonly PlatformTopic[];
  /** Where bad records go, or why nowhere. */
  readonly deadLetters: FlowDeadLetters;
  /** Differences from the platform's options. Default: none. */
  readonly options?: FlowOptions;
  /** Key-value stores that others may query; the flow owns them. Their names are unique in the platform. */
  readonly stores: readonly Store[];
  /** Makes the topology of the things outside Kafka that it needs. No I/O. */
  readonly build: (ports: Ports) => Topology;
}

/** Any flow, for those who don't build it. */
export type AnyFlow = Flow<string, FlowRole, string, never>;

/** Answers its argument, with types as narrow as they are written there. */
export function defineFlow<
  const Id extends string,
  const Role extends FlowRole,
  Ports,
  const Store extends string = never,
>(flow: Flow<Id, Role, Store, Ports>): Flow<Id, Role, Store, Ports> {
  return flow;
}

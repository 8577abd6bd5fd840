import type { ManagedProcess } from '../base/managed-process.ts';
import type { StackMemory } from '../base/stack-memory.ts';

/** The services of the local stack, by the names that docker-compose.yml and the documentation use. */
export const SERVICE_NAMES = ['kafka', 'registry', 'postgres', 'objects', 'triton'] as const;
/** One of {@link SERVICE_NAMES}. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** What a service gets to start with. */
export interface ServiceContext {
  /** Data folder of this stack; a service keeps its own data in a folder of its name below it. */
  readonly root: string;
  readonly memory: StackMemory;
  /** Flush to disk at every commit. Off for tests: their data need not survive a power cut. */
  readonly durable: boolean;
  /** The model repository that Triton serves. */
  readonly modelRepository: string;
  readonly log: (line: string) => void;
  /** Must be called right after the process was spawned, so that a later supervisor can find it. */
  readonly note: (process: ManagedProcess) => void;
}

/** Addresses of an S3 server. */
export interface S3Endpoint {
  /** URL of the server. */
  readonly endpoint: string;
  /** User's name. */
  readonly accessKey: string;
  /** User's password. */
  readonly secretKey: string;
  /** Goes into every signature. */
  readonly region: string;
  /** Bucket that exists already. */
  readonly bucket: string;
}

/** Addresses of a Triton server; `grpc` is host:port without a scheme. */
export interface TritonEndpoint {
  /** `host:port` of the inference protocol. */
  readonly grpc: string;
  /** URL of the same protocol over HTTP. */
  readonly http: string;
  /** URL of the Prometheus metrics. */
  readonly metricsUrl: string;
}

/** Addresses of the services that run. */
export interface StackEndpoints {
  /** Kafka, `host:port`. */
  readonly bootstrapServers?: string;
  /** Base URL of the schema registry's Confluent API. */
  readonly registryUrl?: string;
  /** PostgreSQL with user, password and database. */
  readonly postgresUrl?: string;
  /** The object store. */
  readonly s3?: S3Endpoint;
  /** The inference server. */
  readonly triton?: TritonEndpoint;
}

/** A started service: its process and the addresses it adds. */
export interface StartedService {
  readonly process: ManagedProcess;
  readonly endpoints: StackEndpoints;
}

/** Starts a service and resolves when it answers. */
export type StartService = (context: ServiceContext) => Promise<StartedService>;

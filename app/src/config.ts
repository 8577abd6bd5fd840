import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentOf, type StackEndpoints } from '@chip-quality/dev';
import { TRITON_TRANSPORTS, type TritonTransport } from '@chip-quality/models';
import { DEFAULT_MODEL_NAME } from '@chip-quality/schemas';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** HS256 wants a key as long as its hash. */
const SECRET_BYTES = 32;

/** Everything the platform needs to know about its surroundings. The environment variables are those of docker-compose.yml. */
export interface PlatformConfig {
  readonly bootstrapServers: readonly string[];
  readonly registryUrl: string;
  readonly databaseUrl: string;
  readonly s3: {
    readonly endpoint: string;
    readonly publicEndpoint: string;
    readonly accessKey: string;
    readonly secretKey: string;
    readonly region: string;
    readonly bucket: string;
  };
  readonly jwtSecret: string;
  readonly stateDirectory: string;
  /** The folder of the model that judges, in a Triton model repository. */
  readonly modelDirectory: string;
  readonly inference: InferenceConfig;
  readonly host: string;
  /** Unique per running process, stable over its restarts: the consumer groups' static member id. */
  readonly instanceId: string;
  readonly logLevel: string;
}

/** Where the model runs: in this process, or in a Triton server (`host:port` of its gRPC service). */
export type InferenceConfig =
  | { readonly engine: 'onnx' }
  | {
      readonly engine: 'triton';
      readonly tritonAddress: string;
      readonly transport: TritonTransport;
      readonly sharedMemory: boolean;
    };

/** Values of INFERENCE_ENGINE: `onnx`, ONNX Runtime in the platform's own process, or `triton`, a server of its own. */
export const INFERENCE_ENGINES = ['onnx', 'triton'] as const;

/** Where this checkout keeps its data: `.local`, or `LOCAL_DIR`. */
export function localDirectory(environment: NodeJS.ProcessEnv): string {
  return resolve(environment['LOCAL_DIR'] ?? join(repository, '.local'));
}

/** Whether the environment names a Kafka: then no local stack is started. */
export function hasOwnStack(environment: NodeJS.ProcessEnv): boolean {
  return environment['KAFKA_BOOTSTRAP_SERVERS'] !== undefined;
}

/**
 * Reads the environment; what a local stack started takes the place of variables that are not set. Throws an error that names
 * every missing variable.
 */
export function readConfig(environment: NodeJS.ProcessEnv, stack: StackEndpoints | undefined): PlatformConfig {
  const local = localDirectory(environment);
  const values: Readonly<Record<string, string | undefined>> = {
    ...(stack === undefined ? {} : environmentOf(stack)),
    ...environment,
  };
  const missing: string[] = [];
  const need = (name: string): string => {
    const value = values[name];
    if (value === undefined || value === '') missing.push(name);
    return value ?? '';
  };
  const endpoint = need('S3_ENDPOINT');
  const config: PlatformConfig = {
    bootstrapServers: need('KAFKA_BOOTSTRAP_SERVERS').split(','),
    registryUrl: need('SCHEMA_REGISTRY_URL'),
    databaseUrl: need('DATABASE_URL'),
    s3: {
      endpoint,
      publicEndpoint: values['S3_PUBLIC_ENDPOINT'] ?? endpoint,
      accessKey: need('S3_ACCESS_KEY'),
      secretKey: need('S3_SECRET_KEY'),
      region: values['S3_REGION'] ?? 'us-east-1',
      bucket: need('S3_BUCKET'),
    },
    jwtSecret: stack === undefined ? need('JWT_SECRET') : (values['JWT_SECRET'] ?? localSecret(local)),
    stateDirectory: values['STATE_DIR'] ?? join(local, 'state'),
    modelDirectory: values['MODEL_DIRECTORY'] ?? join(repository, 'models', 'repository', DEFAULT_MODEL_NAME),
    inference: inferenceOf(values, need, stack !== undefined),
    host: values['HOST'] ?? (stack === undefined ? '0.0.0.0' : '127.0.0.1'),
    instanceId: values['INSTANCE_ID'] ?? hostname(),
    logLevel: values['LOG_LEVEL'] ?? 'info',
  };
  if (missing.length > 0) throw new Error(`missing environment variables: ${missing.join(', ')}`);
  return config;
}

function inferenceOf(
  values: Readonly<Record<string, string | undefined>>,
  need: (name: string) => string,
  isLocal: boolean,
): InferenceConfig {
  const engine = values['INFERENCE_ENGINE'] ?? 'onnx';
  if (engine === 'onnx') return { engine };
  if (engine !== 'triton') {
    throw new Error(`INFERENCE_ENGINE is ${engine}; it may be ${INFERENCE_ENGINES.join(' or ')}`);
  }
  const given = values['TRITON_TRANSPORT'] ?? TRITON_TRANSPORTS[0];
  const transport = TRITON_TRANSPORTS.find((known) => known === given);
  if (transport === undefined) {
    throw new Error(`TRITON_TRANSPORT is ${given}; it may be ${TRITON_TRANSPORTS.join(' or ')}`);
  }
  const shared = values['TRITON_SHARED_MEMORY'] ?? String(isLocal && process.platform === 'linux');
  return { engine, tritonAddress: need('TRITON_URL'), transport, sharedMemory: shared === 'true' };
}

/** The token secret of a local installation: made once, readable by its owner only. */
function localSecret(local: string): string {
  const path = join(local, 'jwt-secret');
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(local, { recursive: true });
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  writeFileSync(path, secret, { mode: 0o600, flag: 'wx' });
  return secret;
}

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedProcess } from '../base/managed-process.ts';
import { LOOPBACK } from '../base/ports.ts';
import { endProcess, startedWith } from '../base/process-identity.ts';
import type { StartService } from './service.ts';
import { installTriton } from './triton-install.ts';

const READY_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;
const SHARED_MEMORY = '/dev/shm';
/** In the environment of the server and of its models' processes: the data folder of the stack they belong to. */
const OWNER = 'CHIP_QUALITY_TRITON_OF';

/** An ONNX model that returns its input, FP32 [n, 2]: ModelProto with one Identity node, opset 13. */
const IDENTITY_MODEL =
  'CAg6QQoQCgF4EgF5IghJZGVudGl0eRIBZ1oUCgF4Eg8KDQgBEgkKAxIBbgoCCAJiFAoBeRIPCg0IARIJCgMSAW4KAggCQgIQDQ==';
const SELF_TEST = 'stack_self_test';
/**
 * For glibc's malloc in the models' processes. A tensor of eight boards has 39 MB: unless told otherwise malloc maps each anew and
 * gives it back at once, and its pages cost more to touch than its numbers to write.
 */
const KEPT_MEMORY = { MALLOC_MMAP_THRESHOLD_: '268435456', MALLOC_TRIM_THRESHOLD_: '536870912' };

/**
 * Starts a real Triton server on a model repository. Models are loaded and unloaded on request
 * (explicit control), so a test may push models of its own; every folder with a `config.pbtxt` is loaded at start.
 */
export const startTriton: StartService = async (context) => {
  const { root, memory, log, modelRepository: models } = context;
  const installation = await installTriton(log);
  const httpPort = await memory.port('triton-http', log);
  const grpcPort = await memory.port('triton-grpc', log);
  const metricsPort = await memory.port('triton-metrics', log);
  // A server that was killed leaves its shared memory behind; the prefix says whose it is.
  const sharedPrefix = `chip_quality_triton_${httpPort}_`;
  await removeLeftovers(root, sharedPrefix);

  const initial = readdirSync(models).filter((name) => existsSync(join(models, name, 'config.pbtxt')));
  const options = {
    'model-repository': models,
    'backend-directory': installation.backends,
    'backend-config': `python,shm-region-prefix-name=${sharedPrefix}`,
    'model-control-mode': 'explicit',
    // A model that does not load is told in the log and by the repository API; the others serve.
    'exit-on-error': 'false',
    'strict-readiness': 'false',
    'http-address': LOOPBACK,
    'http-port': httpPort,
    'grpc-address': LOOPBACK,
    'grpc-port': grpcPort,
    'metrics-address': LOOPBACK,
    'metrics-port': metricsPort,
    'allow-gpu-metrics': 'false',
  };
  const process = new ManagedProcess({
    name: 'Triton',
    command: [
      installation.program,
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      ...initial.map((name) => `--load-model=${name}`),
    ],
    cwd: root,
    env: {
      LD_LIBRARY_PATH: installation.libraries,
      TRITON_SITE_PACKAGES: installation.sitePackages,
      ...KEPT_MEMORY,
      [OWNER]: root,
    },
    logFile: join(root, 'logs', 'triton.log'),
    stopSignal: 'SIGTERM',
  });
  context.note(process);
  void process.exited.then(() => removeLeftovers(root, sharedPrefix));
  const http = `http://${LOOPBACK}:${httpPort}`;
  await process.whenReady(httpPort, READY_TIMEOUT_MS, async () => (await call(`${http}/v2/health/ready`, 'GET')).ok);
  try {
    await selfTest(http);
  } catch (error) {
    await process.stop();
    throw error;
  }
  const metricsUrl = `http://${LOOPBACK}:${metricsPort}/metrics`;
  return { process, endpoints: { triton: { grpc: `${LOOPBACK}:${grpcPort}`, http, metricsUrl } } };
};

/**
 * Ends what outlived its server: the processes of Python models, half a gigabyte each, hear no polite signal and do not notice that
 * a server was killed. One stack has one server at most, so whatever has the stack's mark while none runs is such a process.
 */
async function removeLeftovers(root: string, sharedPrefix: string): Promise<void> {
  await Promise.all(startedWith(OWNER, root).map((leftover) => endProcess(leftover, 'SIGKILL', 0)));
  removeSharedMemory(sharedPrefix);
}

function removeSharedMemory(prefix: string): void {
  if (!existsSync(SHARED_MEMORY)) return;
  for (const name of readdirSync(SHARED_MEMORY)) {
    if (name.startsWith(prefix)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}

function call(url: string, method: 'GET' | 'POST', body?: unknown): Promise<Response> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  return fetch(url, body === undefined ? { method, signal } : { method, signal, body: JSON.stringify(body) });
}

/**
 * Sends numbers through an identity model and compares them: with a wrong numpy the server answers with the
 * right shape and no data, which is better found here than as "no defects" on every board.
 */
async function selfTest(http: string): Promise<void> {
  const config = {
    platform: 'onnxruntime_onnx',
    max_batch_size: 4,
    input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2] }],
    output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [2] }],
  };
  const parameters = { config: JSON.stringify(config), 'file:1/model.onnx': IDENTITY_MODEL };
  await expectOk(await call(`${http}/v2/repository/models/${SELF_TEST}/load`, 'POST', { parameters }));
  const data = [1.5, -2, 3, 0.25];
  const answer = await call(`${http}/v2/models/${SELF_TEST}/infer`, 'POST', {
    inputs: [{ name: 'x', shape: [2, 2], datatype: 'FP32', data }],
  });
  const { outputs } = (await expectOk(answer)) as { outputs: { data: number[] }[] };
  if (JSON.stringify(outputs[0]?.data) !== JSON.stringify(data)) {
    throw new Error(`Triton's self-test failed: sent ${data}, got ${JSON.stringify(outputs)}`);
  }
  await expectOk(await call(`${http}/v2/repository/models/${SELF_TEST}/unload`, 'POST', {}));
}

async function expectOk(answer: Response): Promise<unknown> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Triton's self-test failed: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

import { resolveConfig } from '../../src/base/default-config.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { ensureTopics } from '../../src/runtime/assignment/internal-topics.ts';
import type { CreateCommitProtocol } from '../../src/runtime/commit/commit-protocol.ts';
import { StateDirectory } from '../../src/runtime/directory/state-directory.ts';
import { GlobalState } from '../../src/runtime/global/global-state.ts';
import { StreamThread } from '../../src/runtime/thread/stream-thread.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { newDirectory } from './streams-harness.ts';

/** A stream thread under a commit protocol of the test's own, started; the test stops it. */
export async function threadOn(
  broker: Broker,
  topology: Topology,
  createCommitProtocol: CreateCommitProtocol,
): Promise<{ readonly thread: StreamThread; readonly failures: readonly Error[] }> {
  const config = resolveConfig({
    applicationId: 'app',
    commitIntervalMs: 10,
    pollMs: 20,
    heartbeatIntervalMs: 20,
    sessionTimeoutMs: 5_000,
    statestoreCacheMaxBytes: 0,
    stateDir: newDirectory(),
  });
  const resolved = topology.resolve('app');
  const global = new GlobalState([], config, broker);
  await global.fill();
  const failures: Error[] = [];
  const thread = new StreamThread({
    threadId: 'thread',
    config,
    resolved,
    layout: await ensureTopics(resolved, config, broker.admin()),
    broker,
    global,
    globalStores: global.stores,
    stateDirectory: new StateDirectory(config, 'process'),
    createCommitProtocol,
    onReadiness: () => {},
    onFailure: (error) => failures.push(error),
  });
  await thread.start();
  return { thread, failures };
}

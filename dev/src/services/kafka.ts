import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkListable, javaProperties } from '../base/java-properties.ts';
import { ManagedProcess } from '../base/managed-process.ts';
import { DEV_FOLDER } from '../base/paths.ts';
import { LOOPBACK } from '../base/ports.ts';
import { runCommand } from '../base/run-command.ts';
import { fetchLibrary } from '../libraries.ts';
import { classData, classPath, JVM_ENVIRONMENT, jvmCommand } from './jvm.ts';
import { fetchClusterMetadata } from './kafka-metadata.ts';
import type { StartService } from './service.ts';

const HEAP_MEGABYTES = 320;
const READY_TIMEOUT_MS = 120_000;
const CLUSTER_ID_BYTES = 16;

/**
 * Settings of one combined KRaft node for development. The values differ from Kafka's defaults only where a
 * single small node, or tests, need it.
 */
export function kafkaSettings(
  port: number,
  controllerPort: number,
  dataFolder: string,
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `${LOOPBACK}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataFolder,
    // Topics are declared, with their partition counts; a misspelt name must be an error.
    'auto.create.topics.enable': 'false',
    // One node: no internal topic can have more than one replica.
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    // The default waits three seconds for more members before a new group may start.
    'group.initial.rebalance.delay.ms': 0,
    // Lets tests see failover in a second or two.
    'group.min.session.timeout.ms': 1_000,
    // Tests of event time write far into the future; Kafka 4 refuses more than one hour by default.
    'log.message.timestamp.after.max.ms': '9223372036854775807',
    // Retention goes by record time: with a limit, records with old event times would vanish at once.
    // Topics that need a limit set their own.
    'log.retention.ms': -1,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
  };
}

/** Starts Kafka on its remembered ports and resolves when the broker has registered itself. */
export const startKafka: StartService = async (context) => {
  const { root, memory, log } = context;
  const library = await fetchLibrary('kafka', log);
  const home = join(root, 'kafka');
  const dataFolder = join(home, 'data');
  checkListable(dataFolder);
  mkdirSync(home, { recursive: true });
  const port = await memory.port('kafka', log);
  const controllerPort = await memory.port('kafka-controller', log);
  const settingsFile = join(home, 'server.properties');
  const settings = kafkaSettings(port, controllerPort, dataFolder);
  writeFileSync(settingsFile, javaProperties(settings));

  const logging = `-Dlog4j2.configurationFile=${join(DEV_FOLDER, 'config', 'kafka-log4j2.properties')}`;
  const shared = classData(library, !context.durable);
  const run = (...flags: string[]) => jvmCommand(HEAP_MEGABYTES, ...flags, logging, '-cp', classPath(library));
  const metaFile = join(dataFolder, 'meta.properties');
  if (!existsSync(metaFile)) {
    const clusterId = randomBytes(CLUSTER_ID_BYTES).toString('base64url');
    const format = [
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      `--cluster-id=${clusterId}`,
      '-c',
      settingsFile,
    ];
    await runCommand([...run(), ...format], { env: JVM_ENVIRONMENT });
  }
  const clusterId = /^cluster\.id=(.+)$/m.exec(readFileSync(metaFile, 'utf8'))?.[1];

  const process = new ManagedProcess({
    name: 'Kafka',
    command: [...run(...shared.flags), 'kafka.Kafka', settingsFile],
    cwd: home,
    env: JVM_ENVIRONMENT,
    logFile: join(root, 'logs', 'kafka.log'),
    stopSignal: 'SIGTERM',
  });
  context.note(process);
  shared.watch(process);
  await process.whenReady(port, READY_TIMEOUT_MS, async () => {
    const cluster = await fetchClusterMetadata(LOOPBACK, port);
    return cluster.clusterId === clusterId && cluster.brokers.some((broker) => broker.port === port);
  });
  return { process, endpoints: { bootstrapServers: `${LOOPBACK}:${port}` } };
};

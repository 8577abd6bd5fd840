import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedProcess } from '../base/managed-process.ts';
import { LOOPBACK } from '../base/ports.ts';
import { fetchLibrary } from '../libraries.ts';
import { classData, JVM_ENVIRONMENT, jvmCommand } from './jvm.ts';
import type { StartService } from './service.ts';

const HEAP_MEGABYTES = 192;
const READY_TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 3_000;
/** Where Apicurio answers as Confluent's registry does. */
const CONFLUENT_API = '/apis/ccompat/v7';

/**
 * Starts the Apicurio registry. Its database is a file beside the topics whose records carry its ids: in
 * memory, the default, ids would start again at 1 after a restart and old records would decode wrongly.
 */
export const startRegistry: StartService = async (context) => {
  const { root, memory, log } = context;
  const library = await fetchLibrary('registry', log);
  const home = join(root, 'registry');
  mkdirSync(home, { recursive: true });
  const port = await memory.port('registry', log);
  const jar = readdirSync(library).find((file) => file.endsWith('-runner.jar'));
  if (jar === undefined) throw new Error(`no registry jar in ${library}; delete that folder and start again`);
  const database = `jdbc:h2:file:${join(home, 'registry')};DB_CLOSE_ON_EXIT=FALSE;AUTO_SERVER=FALSE`;

  const shared = classData(library, !context.durable);
  const process = new ManagedProcess({
    name: 'Schema registry',
    command: jvmCommand(
      HEAP_MEGABYTES,
      ...shared.flags,
      `-Dregistry.datasource.url=${database}`,
      `-Dquarkus.datasource.jdbc.url=${database}`,
      `-Dquarkus.http.host=${LOOPBACK}`,
      `-Dquarkus.http.port=${port}`,
      '-Dquarkus.log.level=WARN',
      '-jar',
      join(library, jar),
    ),
    cwd: home,
    env: JVM_ENVIRONMENT,
    logFile: join(root, 'logs', 'registry.log'),
    stopSignal: 'SIGTERM',
  });
  context.note(process);
  shared.watch(process);
  const registryUrl = `http://${LOOPBACK}:${port}${CONFLUENT_API}`;
  await process.whenReady(port, READY_TIMEOUT_MS, async () => {
    const answer = await fetch(`${registryUrl}/subjects`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return answer.ok && Array.isArray(await answer.json());
  });
  return { process, endpoints: { registryUrl } };
};

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaProperties } from '../base/java-properties.ts';
import { ManagedProcess } from '../base/managed-process.ts';
import { DEV_FOLDER } from '../base/paths.ts';
import { LOOPBACK } from '../base/ports.ts';
import { fetchLibrary } from '../libraries.ts';
import { classData, classPath, JVM_ENVIRONMENT, jvmCommand } from './jvm.ts';
import type { StartService } from './service.ts';

const HEAP_MEGABYTES = 192;
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
/** The bucket that is there from the start; with this storage a bucket is a folder. */
const BUCKET = 'chip-quality';
const REGION = 'us-east-1';
const PRIVATE_MODE = 0o700;

/** Starts S3Proxy over a folder, with signatures enforced as a real S3 server does. */
export const startObjects: StartService = async (context) => {
  const { root, memory, log } = context;
  const library = await fetchLibrary('objects', log);
  const home = join(root, 'objects');
  const buckets = join(home, 'buckets');
  mkdirSync(join(buckets, BUCKET), { recursive: true });
  // The folder's mode is the bucket's access rule: readable by others would mean a public listing.
  chmodSync(join(buckets, BUCKET), PRIVATE_MODE);
  const port = await memory.port('objects', log);
  const endpoint = `http://${LOOPBACK}:${port}`;
  const accessKey = `local${memory.secret('s3-access-key')}`;
  const secretKey = memory.secret('s3-secret-key');
  const settings = {
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': accessKey,
    's3proxy.credential': secretKey,
    // A browser page reads images by presigned URLs from another origin.
    's3proxy.cors-allow-origins': '*',
    's3proxy.cors-allow-methods': 'GET PUT HEAD',
    's3proxy.cors-allow-headers': '*',
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': buckets,
  };
  const settingsFile = join(home, 's3proxy.properties');
  writeFileSync(settingsFile, javaProperties(settings), { mode: 0o600 });

  const shared = classData(library, !context.durable);
  const process = new ManagedProcess({
    name: 'Object store',
    command: jvmCommand(
      HEAP_MEGABYTES,
      ...shared.flags,
      `-Dlogback.configurationFile=${join(DEV_FOLDER, 'config', 'objects-logback.xml')}`,
      '-cp',
      classPath(library),
      'org.gaul.s3proxy.Main',
      '--properties',
      settingsFile,
    ),
    cwd: home,
    env: JVM_ENVIRONMENT,
    logFile: join(root, 'logs', 'objects.log'),
    stopSignal: 'SIGTERM',
  });
  context.note(process);
  shared.watch(process);
  await process.whenReady(port, READY_TIMEOUT_MS, async () => {
    const answer = await fetch(`${endpoint}/healthz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await answer.arrayBuffer();
    return answer.ok;
  });
  return { process, endpoints: { s3: { endpoint, accessKey, secretKey, region: REGION, bucket: BUCKET } } };
};

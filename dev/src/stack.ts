/** `npm run stack`: brings the local stack up and keeps it until Ctrl-C. */
import { parseArgs } from 'node:util';
import { LOCAL_FOLDER } from './base/paths.ts';
import { environmentOf } from './environment.ts';
import { SERVICE_NAMES, type ServiceName } from './services/service.ts';
import { DEFAULT_SERVICES, type Stack, startStack } from './start-stack.ts';

const USAGE = `usage: npm run stack -- [--services kafka,registry,postgres,objects,triton] [--root DIR] [--test]
  --services   what to start (default: ${DEFAULT_SERVICES.join(',')})
  --root    data folder (default: .local)
  --test    the stack of the integration tests (.local/test), without flushing to disk`;

const { values } = parseArgs({
  options: {
    services: { type: 'string' },
    root: { type: 'string' },
    test: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function isService(name: string): name is ServiceName {
  return (SERVICE_NAMES as readonly string[]).includes(name);
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const services = values.services?.split(',') ?? [...DEFAULT_SERVICES];
  if (!services.every(isService)) {
    console.error(`unknown service in "${values.services}"\n${USAGE}`);
    return 1;
  }
  const interrupted = new Promise<NodeJS.Signals>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, done);
  });
  let lose = (_: 'lost') => {};
  const lost = new Promise<'lost'>((done) => {
    lose = done;
  });
  const begun = performance.now();
  const starting = startStack({
    root: values.root ?? (values.test ? `${LOCAL_FOLDER}/test` : LOCAL_FOLDER),
    services,
    durable: !values.test,
    log: (line) => console.log(`[stack] ${line}`),
    onLost: () => lose('lost'),
    onServiceEnded: (service, how, restarts) =>
      console.error(`[stack] ${service} ended: ${how}${restarts ? '; restarting' : ''}`),
  });
  const first = await Promise.race([starting, interrupted]);
  if (typeof first === 'string') return 130; // our death releases the stack
  const stack: Stack = first;
  console.log(`\nThe local stack is up after ${((performance.now() - begun) / 1000).toFixed(1)} s:\n`);
  for (const [name, value] of Object.entries(environmentOf(stack))) console.log(`  ${name}=${value}`);
  console.log('\nCtrl-C stops it.');
  const alive = setInterval(() => {}, 60_000);
  const why = await Promise.race([interrupted, lost]);
  clearInterval(alive);
  if (why === 'lost') {
    console.error('\n[stack] the supervisor was killed; the stack is gone');
    return 1;
  }
  console.log('\n[stack] stopping …');
  await stack.stop();
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`\n${error.message}`);
    process.exit(1);
  },
);

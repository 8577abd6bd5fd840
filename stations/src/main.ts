import { parseArgs } from 'node:util';
import { loadSource } from './load-source.ts';
import { RunLedger } from './run-ledger.ts';
import { StationClient } from './station-client.ts';
import type { StationMessage } from './station-message.ts';
import { StationRun } from './station-run.ts';

/**
 * The stations' own process: they know the API's address, a token, and their ledger, and nothing else of the platform.
 * Ends by itself when the run is complete; SIGTERM or a closed IPC channel lets the boards that were begun finish
 * first.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      api: { type: 'string' },
      run: { type: 'string' },
      rate: { type: 'string' },
      concurrency: { type: 'string' },
      'begun-only': { type: 'boolean' },
    },
  });
  const token = process.env['STATION_TOKEN'];
  if (values.api === undefined || values.run === undefined || token === undefined) {
    throw new Error(
      'usage: STATION_TOKEN=… stations/main.ts --api URL --run DIRECTORY [--rate N] [--concurrency N] [--begun-only]',
    );
  }
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort());
  // The parent is gone, perhaps by kill -9: a restart resumes the run, so leaving at once loses nothing.
  const orphaned = (): never => process.exit(1);
  process.on('disconnect', orphaned);

  const ledger = await RunLedger.open(values.run);
  const source = await loadSource(ledger.run);
  const send = (message: StationMessage): void => {
    if (process.connected) process.send?.(message);
  };
  const run = new StationRun({
    client: new StationClient({ baseUrl: values.api, token: () => Promise.resolve(token), random: Math.random }),
    ledger,
    source,
    concurrency: Number(values.concurrency ?? 8),
    ratePerMinute: values.rate === undefined ? null : Number(values.rate),
    begunOnly: values['begun-only'] ?? false,
    signal: stop.signal,
    onBoard: ({ status, latencyMs }) => send({ type: 'board', status, latencyMs }),
    onError: (intent, error) =>
      send({ type: 'trouble', chipId: intent.chipId, message: error instanceof Error ? error.message : String(error) }),
  });
  await run.work();
  await ledger.close();
  send({ type: 'done' });
  process.off('disconnect', orphaned);
  process.disconnect?.();
}

await main();

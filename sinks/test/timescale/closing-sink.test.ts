import { silentLog } from 'millrace';
import type { Pool } from 'pg';
import { expect, it } from 'vitest';
import { createTimescaleSink } from '../../src/index.ts';

it('a sink that is closed while it connects gives its connection back', async () => {
  const connected = Promise.withResolvers<unknown>();
  const released: unknown[] = [];
  const pool = { connect: () => connected.promise } as unknown as Pool;
  const sink = createTimescaleSink({ pool, name: 'timescale', log: silentLog });
  const opened = sink.open([{ topic: 't', partition: 0 }], '0_0');
  const refused = expect(opened).rejects.toMatchObject({ code: 'INVALID_STATE' });
  await sink.close();
  connected.resolve({ release: (how: unknown) => released.push(how) });
  await refused;
  expect(released).toEqual([true]);
});

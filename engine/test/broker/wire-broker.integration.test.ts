import { systemClock } from '../../src/base/clock.ts';
import { noMetrics, silentLog } from '../../src/base/metrics.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createWireBroker } from '../../src/broker/wire/wire-broker.ts';
import { describeBrokerContract } from '../contract/broker.ts';

describeBrokerContract('wire', async () =>
  createWireBroker({
    bootstrapServers: [process.env.KAFKA ?? '127.0.0.1:39192'],
    clientId: 'contract',
    clock: systemClock,
    random: systemRandom,
    log: process.env.LOG ? console : silentLog,
    metrics: noMetrics,
  }),
);

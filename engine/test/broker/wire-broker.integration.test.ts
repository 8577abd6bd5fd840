import { useTestStack } from '@chip-quality/dev/testing';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/metrics.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createWireBroker } from '../../src/broker/wire/wire-broker.ts';
import { describeBrokerContract } from '../contract/broker.ts';

const stack = useTestStack(['kafka']);

describeBrokerContract('wire', async () =>
  createWireBroker({
    bootstrapServers: [stack.bootstrapServers],
    clientId: 'contract',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  }),
);

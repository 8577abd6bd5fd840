import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { describeBrokerContract } from '../contract/broker.ts';

describeBrokerContract('memory', async () => new MemoryBroker());

import { expect, it } from 'vitest';
import { type Clock, systemClock, type Timer } from '../../src/base/clock.ts';
import { BrokerError, TaskMigratedError } from '../../src/base/errors.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { BrokerGroupConsumer, GroupAssignor } from '../../src/broker/broker.ts';
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { MemoryCluster } from '../../src/broker/memory/memory-cluster.ts';

/** A clock whose timers stand still while its process does. */
class FreezableClock implements Clock {
  #isFrozen = false;
  #held: (() => void)[] = [];
  nowMs = () => systemClock.nowMs();
  monotonicMs = () => systemClock.monotonicMs();
  yield = (callback: () => void) => systemClock.yield(callback);

  setTimer(delayMs: number, callback: () => void): Timer {
    return systemClock.setTimer(delayMs, () => (this.#isFrozen ? this.#held.push(callback) : callback()));
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const callback of this.#held.splice(0)) callback();
  }
}

const allToFirst: GroupAssignor = {
  name: 'all-to-first',
  protocol: 'cooperative',
  topics: () => ['t'],
  userData: () => Buffer.alloc(0),
  assign(members, counts) {
    const partitions = Array.from({ length: counts.get('t') ?? 0 }, (_, partition) => ({ topic: 't', partition }));
    return new Map(
      members.map(({ memberId }, index) => [
        memberId,
        { partitions: index === 0 ? partitions : [], userData: Buffer.alloc(0) },
      ]),
    );
  },
};

interface Member {
  readonly consumer: BrokerGroupConsumer;
  readonly events: string[];
}

/** Where a session must not expire, whatever else the machine has to do. */
const PATIENT_MS = 10_000;
/** Where it must: longer than any pause of a busy machine, so that only the frozen member misses it. */
const IMPATIENT_MS = 1_500;

function memberOf(
  broker: MemoryBroker,
  assignor = allToFirst,
  groupInstanceId?: string,
  sessionTimeoutMs = PATIENT_MS,
): Member {
  const events: string[] = [];
  const tell = (what: string) => async (partitions: readonly { partition: number }[]) => {
    events.push(`${what} ${partitions.map(({ partition }) => partition).join(',')}`.trim());
  };
  const consumer = broker.groupConsumer({
    clientId: 'c',
    groupId: 'g',
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    sessionTimeoutMs,
    rebalanceTimeoutMs: sessionTimeoutMs,
    heartbeatIntervalMs: 20,
    assignor,
    listener: {
      onPartitionsAssigned: tell('assigned'),
      onPartitionsRevoked: tell('revoked'),
      onPartitionsLost: tell('lost'),
      onError: (error) => void events.push(`error ${error.message}`),
    },
  });
  return { consumer, events };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 1_500) throw new Error('It did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function clusterWithTopic(partitions: number): MemoryCluster {
  const cluster = new MemoryCluster({ clock: systemClock, random: systemRandom });
  cluster.createTopic('t', partitions);
  return cluster;
}

it('loses its partitions when its process stood still longer than the session, and joins again', async () => {
  const cluster = clusterWithTopic(2);
  const clock = new FreezableClock();
  const sleeper = memberOf(new MemoryBroker({ cluster, clock }), allToFirst, undefined, IMPATIENT_MS);
  await sleeper.consumer.group.join();
  clock.freeze();
  const heir = memberOf(new MemoryBroker({ cluster }), allToFirst, undefined, IMPATIENT_MS);
  await heir.consumer.group.join();
  await until(() => heir.events.includes('assigned 0,1'));
  const offsets = new Map([['t-0', { topic: 't', partition: 0, offset: 1, metadata: '' }]]);
  await expect(sleeper.consumer.group.commit(offsets)).rejects.toMatchObject({ recovery: 'migrate' });
  clock.thaw();
  await until(() => sleeper.events.includes('lost 0,1'));
  await until(() => sleeper.events.length >= 3);
  expect(sleeper.events.slice(0, 2)).toEqual(['assigned 0,1', 'lost 0,1']);
  expect(sleeper.events[2]).toMatch(/^assigned/);
  await Promise.all([sleeper.consumer.close(), heir.consumer.close()]);
});

it('ends for good, with its partitions lost, when another process takes its instance id', async () => {
  const cluster = clusterWithTopic(1);
  const first = memberOf(new MemoryBroker({ cluster }), allToFirst, 'instance');
  await first.consumer.group.join();
  const second = memberOf(new MemoryBroker({ cluster }), allToFirst, 'instance');
  await second.consumer.group.join();
  await until(() => second.events.includes('assigned 0'));
  await until(() => first.events.includes('lost 0') || first.events.some((event) => event.startsWith('error')));
  await Promise.all([first.consumer.close(), second.consumer.close()]);
});

it('rejects join and tells the listener when the assignor fails', async () => {
  const cluster = clusterWithTopic(1);
  const failing: GroupAssignor = {
    ...allToFirst,
    assign: () => {
      throw new Error('no idea whom to give it');
    },
  };
  const member = memberOf(new MemoryBroker({ cluster }), failing);
  await expect(member.consumer.group.join()).rejects.toThrow('no idea whom to give it');
  expect(member.events).toEqual(['error no idea whom to give it']);
  await member.consumer.close();
});

it('gives an assignment back that it could not take over for a passing reason, and takes it from the next', async () => {
  const cluster = clusterWithTopic(1);
  const events: string[] = [];
  const consumer = new MemoryBroker({ cluster }).groupConsumer({
    clientId: 'c',
    groupId: 'g',
    sessionTimeoutMs: PATIENT_MS,
    rebalanceTimeoutMs: PATIENT_MS,
    heartbeatIntervalMs: 20,
    assignor: allToFirst,
    listener: {
      async onPartitionsAssigned(partitions) {
        events.push(`assigned ${partitions.length}`);
        if (events.length < 4) throw new BrokerError('no answer', { kafkaCode: -1, retriable: true });
      },
      onPartitionsRevoked: async () => {
        events.push('revoked');
        throw new TaskMigratedError('too late');
      },
      onPartitionsLost: async () => void events.push('lost'),
      onError: (error) => void events.push(error.message),
    },
  });
  await consumer.group.join();
  expect(events).toEqual(['assigned 1', 'lost', 'assigned 1', 'lost', 'assigned 1']);
  expect(consumer.records.assignment()).toHaveLength(1);
  await consumer.close();
  expect(events.slice(5)).toEqual(['revoked']);
});

it('keeps heartbeating while the listener takes its time', async () => {
  const cluster = clusterWithTopic(1);
  const broker = new MemoryBroker({ cluster });
  const events: string[] = [];
  const consumer = broker.groupConsumer({
    clientId: 'c',
    groupId: 'g',
    sessionTimeoutMs: IMPATIENT_MS,
    rebalanceTimeoutMs: PATIENT_MS,
    heartbeatIntervalMs: 20,
    assignor: allToFirst,
    listener: {
      async onPartitionsAssigned() {
        await new Promise((resolve) => setTimeout(resolve, 2 * IMPATIENT_MS));
        events.push('assigned');
      },
      onPartitionsRevoked: async () => void events.push('revoked'),
      onPartitionsLost: async () => void events.push('lost'),
      onError: (error) => void events.push(error.message),
    },
  });
  await consumer.group.join();
  await consumer.group.commit(new Map([['t-0', { topic: 't', partition: 0, offset: 1, metadata: '' }]]));
  expect(events).toEqual(['assigned']);
  await consumer.close();
  expect(events).toEqual(['assigned', 'revoked']);
});

it('hands a partition over only after its owner has given it up', async () => {
  const cluster = clusterWithTopic(1);
  const toHeir: GroupAssignor = {
    ...allToFirst,
    assign: (members) => {
      const next = members.find(({ userData }) => userData.length > 0) ?? members[0];
      const partitions = [{ topic: 't', partition: 0 }];
      return new Map(
        members.map(({ memberId }) => [
          memberId,
          { partitions: memberId === next?.memberId ? partitions : [], userData: Buffer.alloc(0) },
        ]),
      );
    },
  };
  const first = memberOf(new MemoryBroker({ cluster }), toHeir);
  await first.consumer.group.join();
  const order: string[] = [];
  const second = memberOf(new MemoryBroker({ cluster }), { ...toHeir, userData: () => Buffer.from('heir') });
  const watch = setInterval(() => {
    if (first.events.includes('revoked 0') && !order.includes('revoked')) order.push('revoked');
    if (second.events.includes('assigned 0') && !order.includes('assigned')) order.push('assigned');
  }, 1);
  await second.consumer.group.join();
  await until(() => second.events.includes('assigned 0'));
  await until(() => order.length === 2);
  clearInterval(watch);
  expect(order).toEqual(['revoked', 'assigned']);
  await Promise.all([first.consumer.close(), second.consumer.close()]);
});

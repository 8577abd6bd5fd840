import { type InspectionState, PARTITIONS, UnavailableError } from '@chip-quality/schemas';
import { byTimeKey, INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE } from '@chip-quality/topologies';
import { type KafkaStreams, StreamsError } from 'millrace';
import { describe, expect, it } from 'vitest';
import { PlatformQueries } from '../../src/reads/platform-queries.ts';

const TENANT = 'acme';
const BOARDS = 40;

const state = (index: number): InspectionState =>
  ({
    id: `i-${index}`,
    tenant_id: TENANT,
    chip_id: `c-${index}`,
    metadata: '{}',
    artifacts: [],
    attempts: [],
    created_at: index,
    updated_at: index,
  }) as unknown as InspectionState;

/** An application with the stores of the inspections, all partitions here; `onRead` is called by each read before it is answered. */
function applicationWith(partitions: number, onRead: () => Promise<void> = async () => {}): KafkaStreams {
  const boards = Array.from({ length: BOARDS }, (_, index) => state(index));
  const partition = (number: number) => boards.filter((_, index) => index % PARTITIONS === number);
  const states = (own: readonly InspectionState[]) => ({
    get: async (id: string) => {
      await onRead();
      return own.find((board) => board.id === id);
    },
  });
  const keys = (own: readonly InspectionState[]) => ({
    async *range() {
      await onRead();
      yield* own.map(({ id, created_at }) => ({ key: byTimeKey(TENANT, created_at, id), value: id })).reverse();
    },
  });
  return {
    keyValueStorePartitions: (name: string) =>
      Array.from({ length: partitions }, (_, number) =>
        name === INSPECTIONS_BY_TIME_STORE ? keys(partition(number)) : states(partition(number)),
      ),
    keyValueStore: (name: string) => (name === INSPECTIONS_STORE ? states(boards) : undefined),
  } as unknown as KafkaStreams;
}

const queriesOf = (application: KafkaStreams) => new PlatformQueries(application, application);
const moved = new StreamsError('moved', { code: 'INVALID_STATE_STORE', recovery: 'retry' });

describe('reads of inspections', () => {
  it('find one, unless it is a stranger’s', async () => {
    const queries = queriesOf(applicationWith(PARTITIONS));
    expect(await queries.inspection(TENANT, 'i-7')).toMatchObject({ id: 'i-7', chip_id: 'c-7' });
    expect(await queries.inspection('other', 'i-7')).toBeUndefined();
    expect(await queries.inspection(TENANT, 'i-none')).toBeUndefined();
  });

  it('list the newest of all partitions, which are asked at the same time', async () => {
    /** Reads of each turn, all answered together at its end. */
    const turns: number[] = [];
    let end: Promise<void> | undefined;
    const application = applicationWith(PARTITIONS, () => {
      if (end === undefined) {
        turns.push(0);
        end = new Promise((resolve) => setImmediate(resolve)).then(() => {
          end = undefined;
        });
      }
      turns[turns.length - 1] = (turns.at(-1) as number) + 1;
      return end;
    });
    const { views } = await queriesOf(application).inspections(TENANT, { limit: 5 });
    expect(views.map(({ id }) => id)).toEqual([39, 38, 37, 36, 35, 34].map((index) => `i-${index}`));
    // The keys of all partitions, then six states of each.
    expect(turns).toEqual([PARTITIONS, 6 * PARTITIONS]);
  });
});

describe('state that can not be read now', () => {
  it('is worth asking for again: where a partition is elsewhere, and where it goes while it is read', async () => {
    const elsewhere = queriesOf(applicationWith(PARTITIONS - 1));
    await expect(elsewhere.inspection(TENANT, 'i-7')).rejects.toThrow(UnavailableError);
    await expect(elsewhere.inspections(TENANT, { limit: 5 })).rejects.toThrow('partitions of the state are here');
    const going = queriesOf(applicationWith(PARTITIONS, () => Promise.reject(moved)));
    await expect(going.inspection(TENANT, 'i-7')).rejects.toMatchObject({ name: 'UnavailableError', cause: moved });
    await expect(going.inspections(TENANT, { limit: 5 })).rejects.toMatchObject({ retryAfterSeconds: 1 });
  });

  it('is told apart from a defect', async () => {
    const broken = queriesOf(applicationWith(PARTITIONS, () => Promise.reject(new TypeError('broken'))));
    await expect(broken.inspection(TENANT, 'i-7')).rejects.toThrow(TypeError);
  });
});

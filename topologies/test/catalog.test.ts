import { type CatalogState, type Command, lotId, partId, topics } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { CATALOG_STORE, catalogFlow, lotOf, partOf } from '../src/index.ts';
import { bodyOf, command, drive, START_MS, serdes, TENANT } from './support/driver.ts';

const PART = partId(TENANT, 'PCB-1');
const LOT = lotId(TENANT, 'L-1');
const golden = (artifact_id: string) => ({
  artifact_id,
  storage_path: `parts/${PART}/golden/${artifact_id}.jpg`,
  content_type: 'image/jpeg',
  size_bytes: 10,
  checksum: 'a'.repeat(32),
});
const G1 = '55555555-5555-4555-8555-555555555551';
const G2 = '55555555-5555-4555-8555-555555555552';
const createPart = () => command('part.create', PART, { part_number: 'PCB-1', part_type: 'pcb', description: null });
const createLot = () => command('lot.create', LOT, { lot_number: 'L-1', part_id: PART, quantity: 300 });
const setGolden = (id: string, ms: number) =>
  command('part.confirm_golden', PART, golden(id), { issued_at: START_MS + ms });

function setUp() {
  const driver = drive(catalogFlow.build({ serdes, store: 'memory' }), catalogFlow.id);
  const input = driver.createInputTopic(topics.catalogCommands, serdes.key, serdes.Command);
  const store = driver.getKeyValueStore<string, CatalogState>(CATALOG_STORE);
  return {
    driver,
    store,
    send: (sent: Command) => input.pipeInput(sent.resource_id, sent, sent.issued_at),
    replies: driver.createOutputTopic(topics.apiReplies, serdes.key, serdes.ApiReply),
    events: driver.createOutputTopic(topics.catalogEvents, serdes.key, serdes.CatalogEvent),
  };
}

test('parts, golden images and lots are kept, answered and announced', () => {
  const { send, replies, events, store } = setUp();
  send(createPart());
  send(createLot());
  send(setGolden(G1, 10));
  const answers = replies.readValuesToList();
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 200]);
  expect(bodyOf(answers[0] as never)).toMatchObject({ id: PART, part_number: 'PCB-1', golden: null });
  expect(bodyOf(answers[1] as never)).toEqual(lotOf(store.get(LOT), TENANT));
  expect(bodyOf(answers[2] as never)).toMatchObject({ artifact_id: G1 });
  expect(partOf(store.get(PART), TENANT)).toMatchObject({ golden: { artifact_id: G1 } });
  expect(partOf(store.get(PART), 'other')).toBeUndefined();
  expect(lotOf(store.get(PART), TENANT)).toBeUndefined();
  expect(events.readValuesToList().map((event) => [event.event_type, event.payload.part?.revision ?? null])).toEqual([
    ['part.created', 1],
    ['lot.created', null],
    ['part.updated', 2],
  ]);
});

test('a number that exists is a duplicate under another key; a golden image needs its part', () => {
  const { send, replies } = setUp();
  send(setGolden(G1, 0));
  send(createPart());
  send(createPart());
  send(createLot());
  send(createLot());
  const answers = replies.readValuesToList();
  expect(answers.map(({ status }) => status)).toEqual([404, 201, 409, 201, 409]);
  expect(bodyOf(answers[2] as never)).toMatchObject({ part_id: PART });
  expect(bodyOf(answers[4] as never)).toMatchObject({ lot_id: LOT });
});

test('redelivery writes the same answers again, and ends in the same state, also after the golden image was replaced', () => {
  const first = setUp();
  const inputs = [createPart(), createLot(), setGolden(G1, 10), setGolden(G2, 20)];
  for (const sent of inputs) first.send(sent);
  const replies = first.driver.readRaw(topics.apiReplies);
  const events = first.driver.readRaw(topics.catalogEvents);
  const state = [...first.store.all()];
  const second = setUp();
  for (const { key, value } of state) second.store.put(key, value);
  for (const sent of inputs) second.send(sent);
  expect(second.driver.readRaw(topics.apiReplies)).toEqual(replies);
  // The replaced golden image is announced by nobody any more; the last one is.
  expect(second.driver.readRaw(topics.catalogEvents)).toEqual([events[0], events[1], events[3]]);
  expect([...second.store.all()]).toEqual(state);
});

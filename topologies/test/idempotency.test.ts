import { type ApiReply, type ApiRequest, type ApiResponse, commandId, requestKey, topics } from '@chip-quality/schemas';
import type { KeyValueStore } from 'millrace';
import { describe, expect, test } from 'vitest';
import { IDEMPOTENCY_STORE, IN_FLIGHT_EXPIRY_MS, idempotencyFlow, KEY_RETENTION_MS } from '../src/index.ts';
import { bodyOf, drive, request, START_MS, serdes, TENANT } from './support/driver.ts';

function setUp() {
  const driver = drive(idempotencyFlow.build({ serdes, store: 'memory' }), idempotencyFlow.id);
  const requests = driver.createInputTopic(topics.apiRequests, serdes.key, serdes.ApiRequest);
  const replies = driver.createInputTopic(topics.apiReplies, serdes.key, serdes.ApiReply);
  const commands = driver.createOutputTopic(topics.inspectionCommands, serdes.key, serdes.Command);
  const catalog = driver.createOutputTopic(topics.catalogCommands, serdes.key, serdes.Command);
  const responses = driver.createOutputTopic(topics.apiResponses, serdes.key, serdes.ApiResponse);
  const store = driver.getKeyValueStore<string, unknown>(IDEMPOTENCY_STORE);
  const ask = (overrides: Partial<ApiRequest> = {}) => {
    const sent = request(overrides);
    requests.pipeInput(requestKey(sent.tenant_id, sent.idempotency_key), sent, sent.received_at);
    return sent;
  };
  const reply = (command_id: string, status = 201, overrides: Partial<ApiReply> = {}) => {
    const sent = { command_id, tenant_id: TENANT, idempotency_key: 'key-1', status, body: '{"id":"x"}', ...overrides };
    replies.pipeInput(requestKey(sent.tenant_id, sent.idempotency_key), sent, START_MS + 50);
  };
  return { driver, commands, catalog, responses, store, ask, reply };
}

test('a new key becomes a command for the actor of its resource, and the answer goes to the request', () => {
  const { commands, responses, ask, reply } = setUp();
  const sent = ask();
  const dispatched = commands.readRecord();
  expect(dispatched.key).toBe(sent.resource_id);
  expect(dispatched.value).toMatchObject({
    operation: 'inspection.create',
    payload: sent.payload,
    issued_at: START_MS,
  });
  expect(responses.isEmpty).toBe(true);
  reply(dispatched.value.command_id);
  expect(responses.readValuesToList()).toEqual([
    { request_id: sent.request_id, tenant_id: TENANT, status: 201, body: '{"id":"x"}', replayed: false },
  ]);
});

test('parts and lots go to the catalogue', () => {
  const { commands, catalog, ask } = setUp();
  ask({ operation: 'lot.create' });
  ask({ operation: 'part.confirm_golden', idempotency_key: 'key-2' });
  expect(catalog.readValuesToList().map((value) => value.operation)).toEqual(['lot.create', 'part.confirm_golden']);
  expect(commands.isEmpty).toBe(true);
});

test('a repetition gets the first answer, word for word and marked, and causes no second command', () => {
  const { commands, responses, ask, reply } = setUp();
  ask();
  reply(commands.readValue().command_id, 409, { body: '{"title":"no"}' });
  responses.readValue();
  const again = ask({ received_at: START_MS + 3_600_000 });
  expect(responses.readValue()).toEqual({
    request_id: again.request_id,
    tenant_id: TENANT,
    status: 409,
    body: '{"title":"no"}',
    replayed: true,
  });
  expect(commands.isEmpty).toBe(true);
});

test('another payload under the same key is refused with 422, before and after the answer', () => {
  const { commands, responses, ask, reply } = setUp();
  ask();
  ask({ payload_hash: 'hash-2' });
  reply(commands.readValue().command_id);
  ask({ payload_hash: 'hash-2' });
  const [early, first, late] = responses.readValuesToList();
  expect([early?.status, first?.status, late?.status]).toEqual([422, 201, 422]);
  expect(bodyOf(late as ApiResponse)).toMatchObject({ type: 'urn:chip-quality:problem:key-reused' });
  expect(commands.isEmpty).toBe(true);
});

test('the same key of another tenant is another key', () => {
  const { commands, responses, ask } = setUp();
  ask();
  ask({ tenant_id: 'other', payload_hash: 'hash-2' });
  expect(commands.queueSize).toBe(2);
  expect(responses.isEmpty).toBe(true);
});

describe('while a key is in flight', () => {
  test('a repetition is refused with 409, and the first request still gets its answer', () => {
    const { commands, responses, ask, reply } = setUp();
    const first = ask();
    ask({ received_at: START_MS + IN_FLIGHT_EXPIRY_MS - 1 });
    expect(responses.readValue()).toMatchObject({ status: 409 });
    const [dispatched] = commands.readValuesToList();
    expect(commands.isEmpty).toBe(true);
    reply(dispatched?.command_id ?? '');
    expect(responses.readValue()).toMatchObject({ request_id: first.request_id, status: 201 });
  });

  test('after the expiry the very same command is sent again, and the answer goes to the newer request', () => {
    const { driver, responses, ask, reply } = setUp();
    ask();
    const later = ask({ received_at: START_MS + IN_FLIGHT_EXPIRY_MS });
    const [one, two] = driver.readRaw(topics.inspectionCommands);
    expect(two?.value).toEqual(one?.value);
    const command_id = commandId(TENANT, later.idempotency_key);
    reply(command_id);
    reply(command_id);
    for (const response of responses.readValuesToList()) {
      expect(response).toMatchObject({ request_id: later.request_id, status: 201, replayed: false });
    }
  });
});

test('a redelivered request is no repetition: the command goes out again, then the original answer', () => {
  const { driver, commands, responses, ask, reply } = setUp();
  const sent = ask();
  ask({ ...sent });
  const [one, two] = driver.readRaw(topics.inspectionCommands);
  expect(two).toEqual(one);
  expect(responses.isEmpty).toBe(true);
  ask({ ...sent });
  reply(commands.readValue().command_id);
  ask({ ...sent });
  const [first, again] = responses.readValuesToList();
  expect(again).toEqual(first);
  expect(again).toMatchObject({ replayed: false });
});

test('a redelivered reply is announced again and changes nothing; another command’s reply is ignored', () => {
  const { commands, responses, ask, reply } = setUp();
  ask();
  const { command_id } = commands.readValue();
  reply(command_id);
  reply(command_id, 200, { body: '{"other":1}' });
  reply('another-command');
  const answers = responses.readValuesToList();
  expect(answers).toHaveLength(2);
  expect(answers[1]).toEqual(answers[0]);
});

test('a failure of ours is answered but not kept', () => {
  const { commands, responses, ask, reply } = setUp();
  ask();
  reply(commands.readValue().command_id, 503);
  expect(responses.readValue()).toMatchObject({ status: 503 });
  ask();
  expect(commands.queueSize).toBe(1);
  expect(responses.isEmpty).toBe(true);
});

test('keys are forgotten after 24 hours, a bounded number at a time', () => {
  const { driver, store, ask } = setUp();
  const count = () => (store as KeyValueStore<string, unknown>).approximateNumEntries();
  for (let index = 0; index < 4_500; index += 1) ask({ idempotency_key: `old-${index}` });
  ask({ idempotency_key: 'young', received_at: START_MS + KEY_RETENTION_MS });
  driver.advanceWallClockTimeMs(KEY_RETENTION_MS);
  const left = count();
  expect(left).toBeGreaterThanOrEqual(2_501 - 2_000);
  for (let firing = 0; firing < 4; firing += 1) driver.advanceWallClockTimeMs(5_000);
  expect(count()).toBe(1);
});

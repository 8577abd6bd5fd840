import { type Command, type InferenceEvent, inspectionId, jobId, topics } from '@chip-quality/schemas';
import type { TopologyTestDriver } from 'millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  INSPECTIONS_BY_TIME_STORE,
  INSPECTIONS_STORE,
  inspectionFlow,
  inspectionView,
  listInspections,
  mergeNewest,
} from '../src/index.ts';
import { bodyOf, command, drive, START_MS, serdes, TENANT } from './support/driver.ts';

const LOT = '11111111-1111-4111-8111-111111111111';
const PART = '22222222-2222-4222-8222-222222222222';
const ID = inspectionId(TENANT, LOT, 'c-1', 'visual');

const createPayload = {
  lot_id: LOT,
  part_id: PART,
  chip_id: 'c-1',
  inspection_type: 'visual',
  priority: 8,
  station_id: 'st-1',
  line_id: 'line-1',
  metadata: { shift: 'early' },
};
const image = (artifact_id = '33333333-3333-4333-8333-333333333333', checksum = 'a'.repeat(32)) => ({
  artifact_id,
  filename: 'top.jpg',
  storage_path: `inspections/${ID}/raw/${artifact_id}.jpg`,
  content_type: 'image/jpeg',
  size_bytes: 1234,
  checksum,
  artifact_type: 'image',
  metadata: {},
});
const golden = {
  artifact_id: '44444444-4444-4444-8444-444444444444',
  storage_path: 'parts/p/golden/g.jpg',
  content_type: 'image/jpeg',
  size_bytes: 9,
  checksum: '',
};

const create = (overrides: Partial<Command> = {}) => command('inspection.create', ID, createPayload, overrides);
const confirm = (payload: object = image(), overrides: Partial<Command> = {}) =>
  command('inspection.confirm_artifact', ID, payload, { issued_at: START_MS + 100, ...overrides });
const infer = (overrides: Partial<Command> = {}, payload: object = { golden, priority: 'high' }) =>
  command('inspection.infer', ID, payload, { issued_at: START_MS + 200, ...overrides });

function setUp() {
  const driver = drive(inspectionFlow.build({ serdes, store: 'memory' }), inspectionFlow.id);
  const commands = driver.createInputTopic(topics.inspectionCommands, serdes.key, serdes.Command);
  const inference = driver.createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  return {
    driver,
    send: (sent: Command) => commands.pipeInput(sent.resource_id, sent, sent.issued_at),
    finish: (event: InferenceEvent) => inference.pipeInput(event.payload.inspection_id, event, event.timestamp),
    replies: driver.createOutputTopic(topics.apiReplies, serdes.key, serdes.ApiReply),
    lifecycle: driver.createOutputTopic(topics.inspectionLifecycle, serdes.key, serdes.InspectionEvent),
    artifacts: driver.createOutputTopic(topics.artifactManagement, serdes.key, serdes.ArtifactEvent),
    requested: driver.createOutputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent),
    view: () => {
      const state = driver.getKeyValueStore(INSPECTIONS_STORE).get(ID);
      return state === undefined ? undefined : inspectionView(state as Parameters<typeof inspectionView>[0]);
    },
  };
}

function resultOf(request: InferenceEvent, defects = 0, overrides: Partial<InferenceEvent> = {}): InferenceEvent {
  return {
    ...request,
    event_id: crypto.randomUUID(),
    event_type: 'inference.completed',
    timestamp: START_MS + 900,
    payload: {
      ...request.payload,
      results: {
        model_version: '7',
        defects: Array.from({ length: defects }, (_, index) => ({
          id: crypto.randomUUID(),
          defect_type: 'short',
          label: 'short',
          severity: 'high',
          x: index,
          y: 2,
          width: 3,
          height: 4,
          confidence: 0.9,
          second_opinion:
            index === 0 ? { label: 'background', defect_type: null, probability: 0.9, disagrees: true } : null,
        })),
        confidence_score: 0.9,
        confidence_threshold: 0.5,
        processing_time_ms: 12,
        defects_detected: defects,
        batch_size: 4,
      },
    },
    ...overrides,
  };
}

function failureOf(request: InferenceEvent): InferenceEvent {
  const failure = { reason: 'invalid_image:corrupt', detail: 'truncated' };
  return { ...resultOf(request), event_type: 'inference.failed', payload: { ...request.payload, failure } };
}

test('a board goes from pending to a verdict, and every step is announced with what consumers need', () => {
  const { send, finish, replies, lifecycle, artifacts, requested, view } = setUp();
  send(create());
  const created = replies.readValue();
  expect(created.status).toBe(201);
  expect(bodyOf(created)).toEqual(view());
  expect(bodyOf(created)).toMatchObject({
    id: ID,
    status: 'pending',
    priority: 8,
    metadata: { shift: 'early' },
    attempts: 0,
  });

  send(confirm());
  expect(replies.readValue()).toMatchObject({ status: 200 });
  expect(artifacts.readValue()).toMatchObject({ event_type: 'artifact.uploaded', payload: { inspection_id: ID } });
  expect(view()).toMatchObject({ status: 'pending', artifacts: [{ size_bytes: 1234 }] });

  const asked = infer();
  send(asked);
  const accepted = replies.readValue();
  expect(accepted.status).toBe(202);
  expect(bodyOf(accepted)).toEqual({
    request_id: jobId(asked.command_id),
    estimated_completion: new Date(asked.issued_at + 2_000).toISOString(),
  });
  expect(view()).toMatchObject({ status: 'in_progress', attempts: 1 });
  const wanted = requested.readValue();
  expect(wanted).toMatchObject({
    event_type: 'inference.requested',
    payload: {
      artifacts: [{ filename: 'top.jpg' }],
      golden: { storage_path: 'parts/p/golden/g.jpg' },
      priority: 'high',
      attempt: 1,
    },
  });

  finish(resultOf(wanted, 2));
  expect(view()).toMatchObject({
    status: 'completed',
    verdict: 'fail',
    model_version: '7',
    completed_at: new Date(START_MS + 900).toISOString(),
  });
  expect(view()?.defects.map((defect) => defect.second_opinion)).toEqual([
    { label: 'background', defect_type: null, probability: 0.9, disagrees: true },
    null,
  ]);
  const events = lifecycle.readRecordsToList();
  expect(events.map(({ value }) => [value.event_type, value.payload.status, value.payload.revision])).toEqual([
    ['inspection.created', 'pending', 1],
    ['inspection.updated', 'in_progress', 3],
    ['inspection.completed', 'completed', 4],
  ]);
  expect(events[2]?.value.payload).toMatchObject({
    line_id: 'line-1',
    station_id: 'st-1',
    attempt: 1,
    verdict: 'fail',
    created_at: START_MS,
    artifact_ids: [image().artifact_id],
  });
  expect(events[2]?.timestampMs).toBe(START_MS + 900);
  expect(events[2]?.value.payload.defects).toHaveLength(2);
  expect(replies.isEmpty).toBe(true);
});

test('a failed inference fails the inspection with the reason, and the next attempt is a new one', () => {
  const { send, finish, requested, lifecycle, view } = setUp();
  send(create());
  send(confirm());
  send(infer());
  finish(failureOf(requested.readValue()));
  requested.readValuesToList();
  expect(view()).toMatchObject({ status: 'failed', verdict: null, failure_reason: 'invalid_image:corrupt' });
  expect(lifecycle.readValuesToList().at(-1)).toMatchObject({
    event_type: 'inspection.failed',
    payload: { attempt: 1, verdict: null },
  });
  send(infer({ issued_at: START_MS + 5_000 }));
  const second = requested.readValue();
  finish(resultOf(second, 0, { timestamp: START_MS + 6_000 }));
  expect(view()).toMatchObject({ status: 'completed', verdict: 'pass', failure_reason: null, attempts: 2 });
  expect(lifecycle.readValuesToList().at(-1)).toMatchObject({ payload: { attempt: 2 } });
});

describe('refusals', () => {
  test('the same lot, chip and type under another key is a duplicate that names the original', () => {
    const { send, replies, lifecycle } = setUp();
    send(create());
    send(create());
    const [, second] = replies.readValuesToList();
    expect(second?.status).toBe(409);
    expect(bodyOf(second as never)).toMatchObject({ type: 'urn:chip-quality:problem:duplicate', inspection_id: ID });
    expect(lifecycle.queueSize).toBe(1);
  });

  test('an unknown id and another tenant’s inspection are not found', () => {
    const { send, replies } = setUp();
    send(infer());
    send(create());
    send(infer({ tenant_id: 'other' }));
    send(confirm(image(), { tenant_id: 'other' }));
    expect(replies.readValuesToList().map(({ status }) => status)).toEqual([404, 201, 404, 404]);
  });

  test('an inference needs a confirmed image', () => {
    const { send, replies, requested } = setUp();
    send(create());
    send(confirm({ ...image(), content_type: 'application/json' }));
    send(infer());
    expect(bodyOf(replies.readValuesToList().at(-1) as never)).toMatchObject({
      status: 409,
      type: 'urn:chip-quality:problem:no-image',
    });
    expect(requested.isEmpty).toBe(true);
  });

  test('a running attempt blocks the next, until it has been silent for five minutes', () => {
    const { send, replies, requested, finish, view } = setUp();
    send(create());
    send(confirm());
    send(infer());
    send(infer({ issued_at: START_MS + 60_000 }));
    send(infer({ issued_at: START_MS + 400_000 }));
    expect(replies.readValuesToList().map(({ status }) => status)).toEqual([201, 200, 202, 409, 202]);
    const [lost, current] = requested.readValuesToList();
    finish(resultOf(lost as InferenceEvent, 3));
    expect(view()).toMatchObject({ status: 'in_progress', attempts: 2 });
    finish(resultOf(current as InferenceEvent, 0));
    expect(view()).toMatchObject({ status: 'completed', verdict: 'pass' });
  });

  test('an artifact may be confirmed again only with the same content', () => {
    const { send, replies, artifacts } = setUp();
    send(create());
    send(confirm());
    send(confirm());
    send(confirm(image(undefined, 'b'.repeat(32))));
    expect(replies.readValuesToList().map(({ status }) => status)).toEqual([201, 200, 200, 409]);
    expect(artifacts.queueSize).toBe(1);
  });

  test('an operation that nobody knows is refused, not lost', () => {
    const { send, replies } = setUp();
    send(command('inspection.fly', ID, {}));
    expect(replies.readValue().status).toBe(422);
  });
});

test('a command sent again gets the original answer to the byte, whatever has happened since, and no events', () => {
  const { driver, send, finish, requested } = setUp();
  const sent = [create(), confirm(), infer()];
  const tooEarly = infer();
  send(sent[0] as Command);
  send(tooEarly);
  send(sent[1] as Command);
  send(sent[2] as Command);
  finish(resultOf(requested.readValue(), 1));
  const replies = driver.readRaw(topics.apiReplies).map(({ value }) => value);
  for (const topic of [topics.inspectionLifecycle, topics.artifactManagement, topics.inferenceWorkflow])
    driver.readRaw(topic);
  for (const again of [sent[0], tooEarly, sent[1], sent[2]]) send(again as Command);
  expect(driver.readRaw(topics.apiReplies).map(({ value }) => value)).toEqual(replies);
  for (const topic of [topics.inspectionLifecycle, topics.artifactManagement, topics.inferenceWorkflow]) {
    expect(driver.readRaw(topic)).toEqual([]);
  }
});

test('redelivery of the very records, on the state they made, writes the same bytes again', () => {
  const outputs = [topics.apiReplies, topics.inspectionLifecycle, topics.artifactManagement, topics.inferenceWorkflow];
  const stores = [INSPECTIONS_STORE, INSPECTIONS_BY_TIME_STORE];
  const read = (driver: TopologyTestDriver) => outputs.map((topic) => driver.readRaw(topic));
  const dump = (driver: TopologyTestDriver) =>
    stores.map((name) =>
      [...driver.getKeyValueStore<string, unknown>(name).all()].map(({ key, value }) => [key, value]),
    );

  const first = setUp();
  const inputs = [
    infer(),
    create(),
    create(),
    infer(),
    confirm(),
    infer(),
    infer(),
    confirm(image(undefined, 'c'.repeat(32))),
  ];
  for (const sent of inputs) first.send(sent);
  const request = serdes.InferenceEvent;
  const records = read(first.driver);
  const wanted = records[3]?.[0]?.value as Buffer;
  const result = resultOf(request.deserialize(wanted, 0, wanted.length, topics.inferenceWorkflow), 2);
  first.finish(result);
  const completed = first.driver.readRaw(topics.inspectionLifecycle);
  const state = dump(first.driver);

  // A task that restored its state from the changelog, and reads its inputs from the start again.
  const second = setUp();
  for (const [index, name] of stores.entries()) {
    const store = second.driver.getKeyValueStore<string, unknown>(name);
    for (const [key, value] of state[index] ?? []) store.put(key as string, value);
  }
  for (const sent of inputs) second.send(sent);
  expect(read(second.driver)).toEqual(records);
  second.finish(result);
  expect(second.driver.readRaw(topics.inspectionLifecycle)).toEqual(completed);
  expect(dump(second.driver)).toEqual(state);
});

test('a second result of the same job, and results of unknown jobs, change and announce nothing', () => {
  const { send, finish, requested, lifecycle, view } = setUp();
  send(create());
  send(confirm());
  send(infer());
  const wanted = requested.readValue();
  finish(resultOf(wanted, 0));
  lifecycle.readValuesToList();
  const before = view();
  finish(resultOf(wanted, 3, { timestamp: START_MS + 2_000 }));
  finish({ ...resultOf(wanted, 1), payload: { ...resultOf(wanted, 1).payload, job_id: crypto.randomUUID() } });
  finish({ ...resultOf(wanted, 1), payload: { ...resultOf(wanted, 1).payload, inspection_id: crypto.randomUUID() } });
  expect(view()).toEqual(before);
  expect(lifecycle.isEmpty).toBe(true);
});

test('lists are newest first, page by page, per tenant and filter', async () => {
  const { driver, send } = setUp();
  const make = (chip: string, ms: number, tenant = TENANT) => {
    const id = inspectionId(tenant, LOT, chip, 'visual');
    send(
      command(
        'inspection.create',
        id,
        { ...createPayload, chip_id: chip },
        { tenant_id: tenant, issued_at: START_MS + ms },
      ),
    );
    return id;
  };
  for (let index = 0; index < 25; index += 1) make(`c-${index}`, Math.floor(index / 2));
  make('foreign', 5, 'acme|x');
  make('foreign', 5, 'acmf');
  const byTime = driver.getKeyValueStore<string, string>(INSPECTIONS_BY_TIME_STORE);
  const inspections = driver.getKeyValueStore<string, never>(INSPECTIONS_STORE);
  const seen: string[] = [];
  let after: { createdAtMs: number; id: string } | undefined;
  for (;;) {
    const { views: page } = await listInspections(byTime, inspections, TENANT, {
      limit: 10,
      ...(after === undefined ? {} : { after }),
    });
    const shown = page.slice(0, 10);
    seen.push(...shown.map((view) => view.chip_id));
    const last = shown.at(-1);
    if (page.length <= 10 || last === undefined) break;
    after = { createdAtMs: Date.parse(last.created_at), id: last.id };
  }
  expect(new Set(seen).size).toBe(25);
  expect(seen).toHaveLength(25);
  expect(seen[0]).toBe('c-24');
  const seventh = await listInspections(byTime, inspections, TENANT, { limit: 5, chipId: 'c-7' });
  expect(seventh.views.map((view) => view.chip_id)).toEqual(['c-7']);
  expect(await listInspections(byTime, inspections, TENANT, { limit: 5, status: 'completed' })).toEqual({ views: [] });
  const { views: all } = await listInspections(byTime, inspections, TENANT, { limit: 100 });
  const split = [0, 1].map((half) => ({ views: all.filter((_, index) => (index % 3 === 0) === (half === 0)) }));
  expect(mergeNewest(split, 100)).toEqual({ views: all });
  expect(mergeNewest(split, 3)).toEqual({ views: all.slice(0, 4) });

  // A search that is cut short says where to go on, page after page, until it is through.
  const found: string[] = [];
  let pages = 0;
  for (let more = true; more; pages += 1) {
    const filter = { limit: 5, chipId: 'c-3', ...(pages === 0 || after === undefined ? {} : { after }) };
    const part = await listInspections(byTime, inspections, TENANT, filter, 10);
    found.push(...part.views.map((view) => view.chip_id));
    more = part.resumeAfter !== undefined;
    after = part.resumeAfter;
  }
  expect([found, pages]).toEqual([['c-3'], 3]);
  // What another partition found behind the place where this one stopped is left to the next page.
  const stopped = { createdAtMs: Date.parse(all[4]?.created_at ?? ''), id: all[4]?.id ?? '' };
  expect(mergeNewest([{ views: all.slice(2, 9) }, { views: [], resumeAfter: stopped }], 20)).toEqual({
    views: all.slice(2, 5),
    resumeAfter: stopped,
  });
});

import { type Command, type InferenceEvent, inspectionId, topics } from '@chip-quality/schemas';
import fc from 'fast-check';
import { TopologyTestDriver } from 'millrace/testing';
import { expect, test } from 'vitest';
import { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE, inspectionFlow } from '../src/index.ts';
import { command, START_MS, serdes, TENANT } from './support/driver.ts';

const OUTPUTS = [topics.apiReplies, topics.inspectionLifecycle, topics.artifactManagement, topics.inferenceWorkflow];
const STORES = [INSPECTIONS_STORE, INSPECTIONS_BY_TIME_STORE];
const LOT = '11111111-1111-4111-8111-111111111111';
const CHIPS = ['c-1', 'c-2'];

/** A step of a run: a command (perhaps one that was sent before), or the result of a job. */
type Step =
  | { readonly kind: 'create'; readonly chip: number; readonly key: number }
  | { readonly kind: 'infer'; readonly chip: number; readonly key: number }
  | {
      readonly kind: 'confirm';
      readonly chip: number;
      readonly key: number;
      readonly artifact: number;
      readonly content: number;
    }
  | { readonly kind: 'result'; readonly job: number; readonly defects: number; readonly fails: boolean };

const chip = fc.nat(CHIPS.length - 1);
const key = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), chip, key }),
  fc.record({ kind: fc.constant('infer' as const), chip, key }),
  fc.record({ kind: fc.constant('confirm' as const), chip, key, artifact: fc.nat(2), content: fc.nat(1) }),
  fc.record({ kind: fc.constant('result' as const), job: fc.nat(4), defects: fc.nat(2), fails: fc.boolean() }),
);

function commandOf(current: Exclude<Step, { kind: 'result' }>, index: number): Command {
  const name = CHIPS[current.chip] as string;
  const id = inspectionId(TENANT, LOT, name, 'visual');
  const overrides = {
    idempotency_key: `${current.kind}-${current.chip}-${current.key}`,
    issued_at: START_MS + index * 90_000,
  };
  if (current.kind === 'create') {
    const payload = { lot_id: LOT, part_id: LOT, chip_id: name, inspection_type: 'visual', line_id: 'line-1' };
    return command('inspection.create', id, payload, overrides);
  }
  if (current.kind === 'infer') return command('inspection.infer', id, { golden: null }, overrides);
  const artifact_id = `artifact-${current.artifact}`;
  const payload = {
    artifact_id,
    storage_path: `inspections/${id}/raw/${artifact_id}.jpg`,
    content_type: current.artifact === 2 ? 'application/json' : 'image/jpeg',
    size_bytes: 1,
    checksum: String(current.content),
  };
  return command('inspection.confirm_artifact', id, payload, overrides);
}

/** A task from some offsets on, on restored state. */
class Run {
  readonly driver = new TopologyTestDriver(inspectionFlow.build({ serdes, store: 'memory' }), {
    applicationId: 'p',
  });
  readonly commands = this.driver.createInputTopic(topics.inspectionCommands, serdes.key, serdes.Command);
  readonly inference = this.driver.createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);

  skip(commands: number, inference: number): void {
    for (let n = 0; n < commands; n += 1) this.commands.pipeInput('skipped', null);
    for (let n = 0; n < inference; n += 1) this.inference.pipeInput('skipped', null);
  }
  send(sent: Command | InferenceEvent): void {
    if ('command_id' in sent) this.commands.pipeInput(sent.resource_id, sent, sent.issued_at);
    else this.inference.pipeInput(sent.payload.inspection_id, sent, sent.timestamp);
  }
  outputs() {
    return OUTPUTS.map((topic) => this.driver.readRaw(topic));
  }
  dump(): [string, unknown][][] {
    return STORES.map((name) =>
      [...this.driver.getKeyValueStore<string, unknown>(name).all()].map((entry) => [entry.key, entry.value]),
    );
  }
  restore(state: [string, unknown][][]): void {
    for (const [index, name] of STORES.entries()) {
      const store = this.driver.getKeyValueStore<string, unknown>(name);
      for (const [entryKey, value] of state[index] ?? []) store.put(entryKey, value);
    }
  }
}

test('a task that lost its outputs in a crash, but not its state, writes them again to the byte from any offset on', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.nat(13), async (steps, cut) => {
    const first = new Run();
    const inputs: (Command | InferenceEvent)[] = [];
    const requests: InferenceEvent[] = [];
    const counts = { commands: 0, inference: 0 };
    let skipped = { ...counts };
    const before: ReturnType<Run['outputs']>[] = [];
    const after: ReturnType<Run['outputs']>[] = [];
    for (const [index, current] of steps.entries()) {
      if (index === cut) skipped = { ...counts };
      let sent: Command | InferenceEvent;
      if (current.kind === 'result') {
        const request = requests[current.job];
        if (request === undefined) continue;
        sent = resultOf(request, current, START_MS + index * 90_000);
        counts.inference += 1;
      } else {
        sent = commandOf(current, index);
        counts.commands += 1;
      }
      first.send(sent);
      const written = first.outputs();
      for (const { value } of written[3] ?? []) {
        requests.push(
          serdes.InferenceEvent.deserialize(value as Buffer, 0, (value as Buffer).length, topics.inferenceWorkflow),
        );
        counts.inference += 1;
      }
      if (index < cut) before.push(written);
      else {
        after.push(written);
        inputs.push(sent);
      }
    }
    const state = first.dump();
    const second = new Run();
    second.restore(state);
    second.skip(skipped.commands, skipped.inference);
    const again = inputs.map((sent) => {
      second.send(sent);
      return second.outputs();
    });
    expect(again).toEqual(after);
    expect(second.dump()).toEqual(state);
    await first.driver.close();
    await second.driver.close();
  });
  await fc.assert(property, { numRuns: 150 });
});

function resultOf(
  request: InferenceEvent,
  { defects, fails }: Extract<Step, { kind: 'result' }>,
  timestamp: number,
): InferenceEvent {
  const found = Array.from({ length: defects }, (_, index) => ({
    id: `${request.payload.job_id}-${index}`,
    defect_type: 'short',
    label: 'short',
    severity: 'low',
    x: 1,
    y: 1,
    width: 1,
    height: 1,
    confidence: 0.8,
    second_opinion: null,
  }));
  const results = {
    model_version: '1',
    defects: found,
    confidence_score: null,
    confidence_threshold: 0.5,
    processing_time_ms: 1,
    defects_detected: defects,
    batch_size: 1,
  };
  const payload = fails
    ? { ...request.payload, failure: { reason: 'invalid_image:corrupt', detail: 'cut off' } }
    : { ...request.payload, results };
  return { ...request, event_type: fails ? 'inference.failed' : 'inference.completed', timestamp, payload };
}

import { flows } from '@chip-quality/topologies';
import { noMetrics, silentLog } from 'millrace';
import { expect, it } from 'vitest';
import { streamsOptions } from '../../src/platform/streams-options.ts';

const process = { bootstrapServers: ['broker:9092'], stateDirectory: '/data', instanceId: 'i-1' };
const ports = { log: silentLog, metrics: noMetrics };

it('are the platform’s for every flow, and the flow’s own where it says so', () => {
  const flow = { id: 'platform-reports', deadLetters: { topic: 'dead-letters' } } as const;
  expect(streamsOptions(flow, process, ports)).toMatchObject({
    applicationId: 'platform-reports',
    groupInstanceId: 'platform-reports-i-1',
    stateDir: '/data/i-1',
    commitIntervalMs: 100,
    statestoreCacheMaxBytes: 0,
    autoOffsetReset: 'earliest',
    deadLetterQueueTopicName: 'dead-letters',
  });
  const options = { commitIntervalMs: 30_000, autoOffsetReset: 'latest' } as const;
  expect(streamsOptions({ ...flow, options }, process, ports)).toMatchObject({
    ...options,
    statestoreCacheMaxBytes: 0,
    applicationId: 'platform-reports',
  });
});

it('have dead letters where the flow has, and else none', () => {
  for (const flow of flows) {
    const { deadLetterQueueTopicName } = streamsOptions(flow, process, ports);
    expect(deadLetterQueueTopicName, flow.id).toBe('topic' in flow.deadLetters ? flow.deadLetters.topic : undefined);
  }
});

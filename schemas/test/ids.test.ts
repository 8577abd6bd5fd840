import { expect, test } from 'vitest';
import {
  commandId,
  eventId,
  inspectionId,
  lineKey,
  lotId,
  PARTITIONS,
  parseLineKey,
  partId,
  priorityBand,
  requestKey,
  topicSpecs,
  topics,
} from '../src/index.ts';

test('ids never change: other systems and stored data depend on them', () => {
  expect([
    partId('acme', 'PCB-1'),
    lotId('acme', 'L-1'),
    inspectionId('acme', lotId('acme', 'L-1'), 'chip-1', 'visual'),
    commandId('acme', 'key-1'),
    eventId('t', 0, 1, 2),
  ]).toMatchInlineSnapshot(`
    [
      "18c86dae-8e6e-55fd-b2be-fb15dd769698",
      "7df916d0-7c26-5785-9784-b17e668de7e1",
      "8395077d-1591-5215-a26c-59679f33461e",
      "014b5575-edad-5685-89b3-5dcdc8a96c5e",
      "317f3dd9-8667-513c-b025-a711b8699def",
    ]
  `);
});

test('a separator in a tenant id makes no two tenants meet', () => {
  expect(requestKey('a|b', 'c')).not.toBe(requestKey('a', 'b|c'));
  expect(inspectionId('a|b', 'c', 'd', 'visual')).not.toBe(inspectionId('a', 'b|c', 'd', 'visual'));
});

test('a line key gives its tenant and line back', () => {
  expect(parseLineKey(lineKey('a|b', 'line|1'))).toEqual({ tenantId: 'a|b', lineId: 'line|1' });
  expect(parseLineKey(lineKey('acme', null))).toEqual({ tenantId: 'acme', lineId: 'unassigned' });
});

test('all shared topics have the same number of partitions and are listed once', () => {
  expect(topicSpecs.map((spec) => spec.topic).sort()).toEqual(Object.values(topics).sort());
  expect(new Set(topicSpecs.map((spec) => spec.partitions))).toEqual(new Set([PARTITIONS]));
});

test('priority bands are 1-3, 4-6, 7-8 and 9-10', () => {
  expect([1, 3, 4, 6, 7, 8, 9, 10].map(priorityBand)).toEqual([
    'low',
    'low',
    'normal',
    'normal',
    'high',
    'high',
    'critical',
    'critical',
  ]);
});

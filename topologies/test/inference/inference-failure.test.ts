import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAILURE_REASONS } from '../../src/index.ts';
import { failureOf, InferenceFailedError } from '../../src/inference/inference-failure.ts';

const coded = (code: string, reason?: string) => Object.assign(new Error('why'), { code, reason });

test('docs/errors.md explains every reason, and no others', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('# Reasons of failed inferences'));
  const listed = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, reasons = '']) =>
    reasons.split(', ').map((reason) => reason.slice(1, -1)),
  );
  expect([...listed].sort()).toEqual([...FAILURE_REASONS].sort());
});

test('whatever an error says of itself, its reason is one of the list', () => {
  const errors = [
    ...[
      'OBJECT_NOT_FOUND',
      'OBJECT_TOO_LARGE',
      'OBJECT_STORE_UNAVAILABLE',
      'INVALID_IMAGE',
      'INFERENCE_FAILED',
    ].flatMap((code) => [coded(code), coded(code, 'bad-output'), coded(code, 'animated'), coded(code, 'made up')]),
    coded('SOMETHING_ELSE', 'empty'),
    new InferenceFailedError('artifact_changed', 'why'),
    new InferenceFailedError('unknown_model', 'why'),
    'a string',
    null,
  ];
  for (const error of errors) {
    for (const subject of ['', 'golden_'] as const) {
      expect(FAILURE_REASONS).toContain(failureOf(error, subject).reason);
    }
  }
  expect(failureOf(coded('INVALID_IMAGE', 'animated'), 'golden_')).toEqual({
    reason: 'golden_invalid_image:animated',
    detail: 'why',
  });
  expect(failureOf(new InferenceFailedError('artifact_changed', 'why'), 'golden_').reason).toBe(
    'golden_artifact_changed',
  );
});

test('what a detector that decodes by itself refuses is told as the image that it is', () => {
  const refused = (image: string, reason: string) =>
    Object.assign(new Error('why'), { code: 'INFERENCE_FAILED', reason: 'bad-input', refusedImage: { image, reason } });
  expect(failureOf(refused('board', 'corrupt'))).toEqual({ reason: 'invalid_image:corrupt', detail: 'why' });
  expect(failureOf(refused('golden', 'wrong-size')).reason).toBe('golden_invalid_image:wrong-size');
  expect(failureOf(refused('board', 'odd')).reason).toBe('invalid_image:corrupt');
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localDirectory, readConfig } from '../src/config.ts';
import { imageReader } from '../src/detector/start-detector.ts';
import { parseOptions } from '../src/entry/options.ts';

const surroundings = {
  KAFKA_BOOTSTRAP_SERVERS: 'kafka:9092',
  SCHEMA_REGISTRY_URL: 'http://registry:8081',
  DATABASE_URL: 'postgres://db/cq',
  S3_ENDPOINT: 'http://s3:9000',
  S3_ACCESS_KEY: 'key',
  S3_SECRET_KEY: 'secret',
  S3_BUCKET: 'bucket',
  JWT_SECRET: 'a secret of the tests, long enough for HS256',
  TRITON_URL: 'triton:8001',
};
const inferenceOf = (more: Record<string, string>) => readConfig({ ...surroundings, ...more }, undefined).inference;

describe('where boards are judged, and how they get there', () => {
  it('is this process unless Triton is named, and pixels unless something else is', () => {
    expect(inferenceOf({})).toEqual({ engine: 'onnx' });
    expect(inferenceOf({ INFERENCE_ENGINE: 'triton' })).toEqual({
      engine: 'triton',
      tritonAddress: 'triton:8001',
      transport: 'uint8',
      sharedMemory: false,
    });
    expect(inferenceOf({ INFERENCE_ENGINE: 'triton', TRITON_TRANSPORT: 'jpeg' })).toMatchObject({ transport: 'jpeg' });
    expect(() => inferenceOf({ INFERENCE_ENGINE: 'triton', TRITON_TRANSPORT: 'pigeon' })).toThrow(
      'TRITON_TRANSPORT is pigeon; it may be uint8 or jpeg or fp32',
    );
    expect(parseOptions(['--engine', 'triton', '--transport', 'jpeg'])).toMatchObject({ transport: 'jpeg' });
  });

  it('decodes files unless Triton does', () => {
    const reader = (transport: string) =>
      imageReader(inferenceOf({ INFERENCE_ENGINE: 'triton', TRITON_TRANSPORT: transport }));
    expect(imageReader({ engine: 'onnx' }).name).toBe('decodeImage');
    expect(['uint8', 'fp32', 'jpeg'].map((transport) => reader(transport).name)).toEqual([
      'decodeImage',
      'decodeImage',
      'checkImage',
    ]);
  });
});

describe('the folders of a checkout', () => {
  it('are its own: models from its repository, data beside its package.json', () => {
    const { modelDirectory } = readConfig(surroundings, undefined);
    expect(existsSync(join(modelDirectory, 'config.pbtxt'))).toBe(true);
    expect(existsSync(join(localDirectory({}), '..', 'package.json'))).toBe(true);
  });
});

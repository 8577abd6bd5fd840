import { expect, test } from 'vitest';
import { inferenceService } from '../src/index.ts';

const { ModelInfer, ModelStreamInfer, RepositoryModelLoad, SystemSharedMemoryStatus } = inferenceService();

test('methods have the paths of the protocol', () => {
  expect(ModelInfer.path).toBe('/inference.GRPCInferenceService/ModelInfer');
  expect(ModelStreamInfer).toMatchObject({ requestStream: true, responseStream: true });
});

test('a request has the bytes that the protocol wants', () => {
  const bytes = ModelInfer.requestSerialize({
    modelName: 'm',
    id: '7',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
    rawInputContents: [Buffer.from([1, 2])],
  });
  const tensor = `0a01781204${Buffer.from('FP32').toString('hex')}1a020102`;
  expect(bytes.toString('hex')).toBe(`0a016d1a01372a0d${tensor}3a020102`);
});

test('64-bit numbers come as numbers, maps as objects, missing fields as their defaults', () => {
  const regions = { r: { name: 'r', key: '/r', byteSize: 6_000_000_000 } };
  // What a server would send has the same form as what we take.
  const serialize = SystemSharedMemoryStatus.responseSerialize;
  expect(SystemSharedMemoryStatus.responseDeserialize(serialize({ regions }))).toEqual({
    regions: { r: { name: 'r', key: '/r', offset: 0, byteSize: 6_000_000_000 } },
  });
  expect(ModelInfer.responseDeserialize(Buffer.alloc(0))).toMatchObject({ id: '', outputs: [], rawOutputContents: [] });
});

test('a parameter is exactly one of its kinds', () => {
  const request = { modelName: 'm', parameters: { config: { stringParam: '{}' } } };
  const back = RepositoryModelLoad.requestDeserialize(RepositoryModelLoad.requestSerialize(request));
  expect(back.parameters?.['config']).toEqual({ stringParam: '{}', parameterChoice: 'stringParam' });
});

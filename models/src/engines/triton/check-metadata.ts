import type { ModelMetadataResponse, TensorMetadata } from '@chip-quality/proto';
import { IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { InferenceError } from '../../errors.ts';
import { CHANNELS } from '../../images/board-tensor.ts';
import { INPUT_NAME, OUTPUT_NAME } from '../onnx/onnx-messages.ts';
import { DETECTION_COLUMNS } from '../read-detections.ts';
import { GOLDEN_INPUT } from './batch-tensors.ts';
import type { TritonTransport } from './messages.ts';

/** -1 in a model's shape takes any size; the first dimension is the batch. */
const ANY = -1;
const OUTPUTS: readonly TensorMetadata[] = [
  { name: OUTPUT_NAME, datatype: 'FP32', shape: [ANY, ANY, DETECTION_COLUMNS] },
];
const BOARDS: TensorMetadata = { name: 'board', datatype: 'BYTES', shape: [ANY, 1] };
const GOLDENS: TensorMetadata = { name: GOLDEN_INPUT, datatype: 'BYTES', shape: [ANY, 1] };
const TENSORS: TensorMetadata = {
  name: INPUT_NAME,
  datatype: 'FP32',
  shape: [ANY, CHANNELS, IMAGE_SIDE_PX, IMAGE_SIDE_PX],
};

/**
 * Compares a served model with what the transport sends and expects. Throws `InferenceError` (`bad-output`) that names
 * every difference: better now than with the first board. Answers whether the model takes golden images: an ensemble
 * may be one for boards alone.
 */
export function checkMetadata(metadata: ModelMetadataResponse, transport: TritonTransport): { takesGolden: boolean } {
  const takesGolden = transport === 'fp32' || metadata.inputs.some(({ name }) => name === GOLDENS.name);
  const inputs = transport === 'fp32' ? [TENSORS] : takesGolden ? [BOARDS, GOLDENS] : [BOARDS];
  const faults = [...compare('input', inputs, metadata.inputs), ...compare('output', OUTPUTS, metadata.outputs)];
  if (faults.length > 0) {
    throw new InferenceError('bad-output', `${metadata.name} is not the model we know: ${faults.join('; ')}`);
  }
  return { takesGolden };
}

function compare(kind: string, wanted: readonly TensorMetadata[], given: readonly TensorMetadata[]): string[] {
  const faults: string[] = [];
  for (const one of wanted) {
    const found = given.find(({ name }) => name === one.name);
    if (found === undefined) faults.push(`${kind} ${one.name} is missing`);
    else if (found.datatype !== one.datatype || !fits(one.shape, found.shape)) {
      faults.push(`${kind} ${one.name} is ${shown(found)}, not ${shown(one)}`);
    }
  }
  if (kind === 'input') {
    const names = new Set(wanted.map(({ name }) => name));
    for (const { name } of given) if (!names.has(name)) faults.push(`input ${name} is unknown`);
  }
  return faults;
}

/** Whether what we send or expect is possible with the model's shape. */
function fits(wanted: readonly number[], given: readonly number[]): boolean {
  return (
    wanted.length === given.length && wanted.every((size, i) => size === given[i] || size === ANY || given[i] === ANY)
  );
}

function shown({ datatype, shape }: TensorMetadata): string {
  return `${datatype} [${shape.join(', ')}]`;
}

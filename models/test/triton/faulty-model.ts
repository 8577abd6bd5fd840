import type { LoadOverrides } from '../../src/index.ts';

/** Ways in which a served model can be no good. */
export type Fault = 'nan' | 'wrong-shape' | 'wrong-batch' | 'no-bytes' | 'raises' | 'slow' | 'other-class';

const ANSWERS: Readonly<Record<Fault, string>> = {
  nan: 'numpy.full((n, 1, 6), numpy.nan, numpy.float32)',
  'wrong-shape': 'numpy.zeros((n, 4, 7), numpy.float32)',
  'wrong-batch': 'numpy.zeros((n + 1, 4, 6), numpy.float32)',
  'no-bytes': 'numpy.zeros((n, 0, 6), numpy.float32)',
  raises: 'numpy.zeros(n)[n]',
  slow: 'time.sleep(1) or numpy.zeros((n, 1, 6), numpy.float32)',
  'other-class': 'numpy.array([[[1, 1, 2, 2, 0.9, 17]]] * n, numpy.float32)',
};

/**
 * A model with the detector's contract, or with another `input` than it, that answers as `fault` says; to be pushed
 * with `TritonAdmin.loadModel`.
 */
export function faultyModel(fault: Fault, input = { name: 'input_images', dims: [3, 640, 640] }): LoadOverrides {
  const config = {
    backend: 'python',
    max_batch_size: 32,
    input: [{ name: input.name, data_type: 'TYPE_FP32', dims: input.dims }],
    output: [{ name: 'detections', data_type: 'TYPE_FP32', dims: [-1, -1] }],
  };
  const code = `
import os, sys, time
sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])
import numpy
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        answers = []
        for request in requests:
            n = pb_utils.get_input_tensor_by_name(request, "${input.name}").shape()[0]
            answers.append(pb_utils.InferenceResponse([pb_utils.Tensor("detections", ${ANSWERS[fault]})]))
        return answers
`;
  return { config: JSON.stringify(config), files: { '1/model.py': Buffer.from(code) } };
}

"""Triton backend "onnxruntime", written in Python over the onnxruntime package.

The Triton of the Python package has the Python backend only. A folder `backends/onnxruntime` with this file
makes repositories with `platform: "onnxruntime_onnx"` load unchanged, with the same protocol, batching, metrics
and control as the C++ backend of the container image.
"""
import os
import sys

# The backend process ignores PYTHONPATH.
sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])

import json

import numpy
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        config = json.loads(args["model_config"])
        file_name = config.get("default_model_filename") or "model.onnx"
        path = os.path.join(args["model_repository"], args["model_version"], file_name)
        options = onnxruntime.SessionOptions()
        # One thread a request, not spinning: on small machines the server shares its cores with everything else.
        options.intra_op_num_threads = int(parameter(config, "intra_op_thread_count", "1"))
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input_names = [one.name for one in self.session.get_inputs()]
        self.output_names = [one.name for one in self.session.get_outputs()]
        self.batches = int(config.get("max_batch_size", 0)) > 0

    def execute(self, requests):
        if not self.batches:
            return [self.answer([request])[0] for request in requests]
        return self.answer(requests)

    def answer(self, requests):
        """Runs the requests as one batch and gives each its rows of the outputs."""
        try:
            inputs = [
                [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.input_names]
                for request in requests
            ]
            joined = inputs[0] if len(inputs) == 1 else [numpy.concatenate(column) for column in zip(*inputs)]
            outputs = self.session.run(self.output_names, dict(zip(self.input_names, joined)))
        except Exception as error:
            if len(requests) > 1:
                # One bad request must not take its neighbours with it.
                return [self.answer([request])[0] for request in requests]
            return [pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))]
        responses = []
        first = 0
        for request, arrays in zip(requests, inputs):
            rows = len(arrays[0]) if self.batches else None
            wanted = set(request.requested_output_names())
            tensors = []
            for name, output in zip(self.output_names, outputs):
                if name not in wanted:
                    continue
                part = output if rows is None else output[first : first + rows]
                tensors.append(pb_utils.Tensor(name, numpy.ascontiguousarray(part)))
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
            first += rows or 0
        return responses


def parameter(config, name, default):
    return config.get("parameters", {}).get(name, {}).get("string_value", default)

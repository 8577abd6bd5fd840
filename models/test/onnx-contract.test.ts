import { createOnnxEngine } from '../src/index.ts';
import { describeInferenceEngine } from './contract/inference-engine.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

describeInferenceEngine('in this process', 'pixels', () => createOnnxEngine({ modelDirectory: MODEL_DIRECTORY }));

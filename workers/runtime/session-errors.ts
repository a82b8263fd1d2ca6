/** Owns the meaning of what ONNX Runtime says when it cannot open a model file, in words for people. */
import { EngineError } from '../../src/core/errors';

interface Cause {
  readonly pattern: RegExp;
  readonly explain: (match: RegExpExecArray, device: string) => EngineError;
}

const OTHER_VARIANT = 'Choose another variant of the model, or another model.';

/** In the order they are tried; texts of ONNX Runtime 1.31. */
const CAUSES: readonly Cause[] = [
  {
    pattern:
      /Could not find an implementation for (\w+)|No Op registered for (\w+)|(\w+)\(-?\d*\) is not a registered function\/op|kernel not found for (\w+)/i,
    explain: (match, device) => {
      const operator = match.slice(1).find(Boolean) ?? 'unnamed';
      return new EngineError(
        'model-unsupported',
        `The model needs the operator ${operator}, which the browser runtime has not on ${device}.`,
        OTHER_VARIANT,
      );
    },
  },
  {
    pattern: /ONNX Runtime only \*guarantees\* support|opset (\d+) is under development/i,
    explain: () =>
      new EngineError(
        'model-unsupported',
        'The model file is written for a newer ONNX standard than the browser runtime reads.',
        OTHER_VARIANT,
      ),
  },
  {
    pattern:
      /(?:external data|External data path|mounted files|MountedFiles|Failed to load external|not available in preloaded)[^"']*["']?([\w./-]*)/i,
    explain: (match) =>
      new EngineError(
        'model-missing',
        `The weights beside the model file could not be read${match[1] === undefined || match[1] === '' ? '' : ` (${match[1]})`}: a data file is missing or belongs to another export.`,
        'Get all files of one and the same variant again.',
      ),
  },
  {
    pattern: /f16|float16|half precision/i,
    explain: (_, device) =>
      new EngineError(
        'model-unsupported',
        `This variant computes in 16-bit numbers, which ${device} here cannot.`,
        'Choose a variant without f16, such as q4.',
      ),
  },
  {
    pattern:
      /bad_alloc|out of memory|memory access out of bounds|Array buffer allocation failed|Aborted\(OOM|could not allocate|Invalid typed array length|exceeds the max buffer size|max(?:imum)? ?buffer ?size|maxStorageBufferBindingSize/i,
    explain: (_, device) =>
      new EngineError(
        'out-of-memory',
        `There is not enough memory for the model on ${device}.`,
        'Close other tabs, choose a smaller variant, or a smaller model.',
      ),
  },
  {
    pattern: /protobuf parsing failed|INVALID_PROTOBUF|ModelProto does not have a graph/i,
    explain: () =>
      new EngineError(
        'model-corrupt',
        'The model file is no ONNX file, or it is cut off.',
        'Get the files of the model again.',
      ),
  },
];

/** The error in words where it is known; else as it came. */
export function explainSessionError(error: unknown, provider: 'wasm' | 'webgpu'): unknown {
  if (error instanceof EngineError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const device = provider === 'webgpu' ? 'WebGPU' : 'WASM';
  for (const { pattern, explain } of CAUSES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const { code, message, remedy } = explain(match, device);
    return new EngineError(code, message, remedy, { cause: error });
  }
  return error;
}

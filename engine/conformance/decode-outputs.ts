import { long, type Serde, sessionWindowed, string, type Windowed, windowed } from '../src/index.ts';
import type { WrittenRecord } from './observation.ts';
import type { OutputFormat, Params } from './topologies/family.ts';
import type { ExpectedOutput } from './vectors.ts';

/** Records of internal topics: the application is called `app`. */
export function isInternal({ topic }: WrittenRecord): boolean {
  return topic.startsWith('app-');
}

/** What went to the output topics, as the vectors write it. */
export function decodeOutputs(
  records: readonly WrittenRecord[],
  output: OutputFormat | undefined,
  params: Params,
): ExpectedOutput[] {
  const decode = decoder(output, params);
  return records.filter((record) => !isInternal(record)).map(decode);
}

function decoder(output: OutputFormat | undefined, params: Params): (record: WrittenRecord) => ExpectedOutput {
  const value = (output?.value === 'long' ? long() : string()) as Serde<string | number>;
  const format = output?.key;
  const windowedKey =
    format?.kind === 'time'
      ? windowed(string(), params[format.sizeParam] as number)
      : format?.kind === 'session'
        ? sessionWindowed(string())
        : undefined;
  return ({ step, topic, keyHex, valueHex, timestamp }) => {
    const rest = { value: valueHex === null ? null : read(value, valueHex), timestamp: timestamp as number };
    if (windowedKey === undefined || keyHex === null) {
      return { step, topic, key: keyHex === null ? null : read(string(), keyHex), ...rest };
    }
    const { key, window }: Windowed<string> = read(windowedKey, keyHex);
    return { step, topic, key, windowStart: window.startMs, windowEnd: window.endMs, ...rest };
  };
}

function read<T>(serde: Serde<T>, hex: string): T {
  const bytes = Buffer.from(hex, 'hex');
  return serde.deserialize(bytes, 0, bytes.length, 'out');
}

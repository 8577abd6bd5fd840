import { describe, expect, test } from 'vitest';
import { ResponseSerde } from '../../../src/kstream/foreign-key/response.ts';
import {
  instruction,
  SubscriptionSerde,
  type SubscriptionWrapper,
} from '../../../src/kstream/foreign-key/subscription.ts';
import { Datum } from '../../../src/processor/datum.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { Serde } from '../../../src/serde/serde.ts';

const TOPIC = 'app-fk-subscription-registration-topic';
const hash = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

function datum(value: string): Datum<string> {
  const made = new Datum<string>();
  made.setObject(value);
  return made;
}

/** Notes under which topics keys are written and read. */
function spying(seen: string[]): Serde<string> {
  const inner = string();
  return {
    format: inner.format,
    serialize: (value, topicName) => {
      seen.push(topicName);
      return inner.serialize(value, topicName);
    },
    deserialize: (buffer, start, end, topicName) => {
      seen.push(topicName);
      return inner.deserialize(buffer, start, end, topicName);
    },
    configure: async (use) => {
      seen.push(`${use.side} ${use.topic}`);
    },
  };
}

function serdeOf(key: Serde<string> = string()): SubscriptionSerde<string> {
  return new SubscriptionSerde(key, { foreignKey: key as Serde<never>, leftValue: key as Serde<never> });
}

describe('a subscription', () => {
  const serde = serdeOf();
  const read = (hex: string): SubscriptionWrapper<string> => {
    const bytes = Buffer.from(`ff${hex}ff`, 'hex');
    return serde.deserialize(bytes, 1, bytes.length - 1, TOPIC);
  };

  test.each([
    [{ hash, primaryPartition: 7 }, `0103${hash.toString('hex')}41${'00000007'}`],
    [{ hash: undefined, primaryPartition: 258 }, '81034100000102'],
    [{ hash, primaryPartition: undefined }, `0003${hash.toString('hex')}41`],
    [{ hash: undefined, primaryPartition: undefined }, '800341'],
  ])('is written and read in the format of Kafka Streams (%#)', (parts, hex) => {
    const written = { ...parts, instruction: instruction.answerIfPresent, primaryKey: datum('A') };
    expect(serde.serialize(written, TOPIC).toString('hex')).toBe(hex);
    const back = read(hex);
    expect(back.primaryKey.get()).toBe('A');
    expect({ ...back, primaryKey: undefined }).toEqual({ ...parts, instruction: 3, primaryKey: undefined });
  });

  test.each(['', '01', '0203', '0104', '0103000102', '8103000000'])('that is broken (%s) is told as such', (hex) => {
    expect(() => read(hex)).toThrow(/not a foreign-key subscription/);
  });

  test('writes its key under the name that registries know from Kafka Streams', async () => {
    const seen: string[] = [];
    const spy = serdeOf(spying(seen));
    const made = {
      hash: undefined,
      instruction: instruction.answerAlways,
      primaryKey: datum('A'),
      primaryPartition: 0,
    };
    spy.serialize(made, TOPIC);
    await spy.configure({ topic: TOPIC, side: 'value', reads: false, writes: true });
    await spy.configure({ topic: TOPIC, side: 'value', reads: true, writes: false });
    await spy.configure({ topic: 'app-fk-subscription-store-changelog', side: 'value', reads: true, writes: true });
    expect(seen).toEqual([`${TOPIC}-pk`, `key ${TOPIC}-pk`, `key ${TOPIC}-fk`, `value ${TOPIC}-vh`]);
  });
});

describe('a response', () => {
  const serde = new ResponseSerde(string());

  test.each([
    [hash, 'v', `00${hash.toString('hex')}76`],
    [undefined, 'v', '8076'],
    [hash, null, `00${hash.toString('hex')}`],
    [undefined, null, '80'],
  ])('is written and read in the format of Kafka Streams (%#)', (withHash, value, hex) => {
    const foreignValue = value === null ? new Datum<string>() : datum(value);
    expect(serde.serialize({ hash: withHash, foreignValue, primaryPartition: 3 }, TOPIC).toString('hex')).toBe(hex);
    const bytes = Buffer.from(`ff${hex}ff`, 'hex');
    const back = serde.deserialize(bytes, 1, bytes.length - 1, TOPIC);
    expect(back.foreignValue.get()).toBe(value);
    expect(back.hash).toEqual(withHash);
  });

  test.each(['', '01', '0000'])('that is broken (%s) is told as such', (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(() => serde.deserialize(bytes, 0, bytes.length, TOPIC)).toThrow(/not a foreign-key response/);
  });
});

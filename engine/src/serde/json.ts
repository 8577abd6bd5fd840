import '../base/bytes.ts';
import { unreadable, unwritable } from './primitives.ts';
import type { Serde } from './serde.ts';

/** How JSON values are checked. */
export interface JsonOptions<T> {
  /** Checks (and may convert) what was parsed; whatever it throws becomes a deserialization error. zod's `schema.parse` fits. */
  readonly validate?: (value: unknown) => T;
}

class JsonSerde<T> implements Serde<T> {
  readonly format = 'json';
  readonly #validate: ((value: unknown) => T) | undefined;

  constructor(validate: ((value: unknown) => T) | undefined) {
    this.#validate = validate;
  }

  serialize(value: T, topic: string): Buffer {
    return Buffer.from(this.#stringify(value, topic), 'utf8');
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): T {
    let parsed: unknown;
    try {
      parsed = JSON.parse(buffer.utf8Slice(start, end));
    } catch (error) {
      throw unreadable('JSON value', topic, (error as Error).message, error);
    }
    if (this.#validate === undefined) return parsed as T;
    try {
      return this.#validate(parsed);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw unreadable('valid JSON value', topic, reason, error);
    }
  }

  serializeInto(value: T, buffer: Buffer, position: number, topic: string): number {
    const text = this.#stringify(value, topic);
    const room = buffer.length - position;
    if (room < text.length * 3 && room < Buffer.byteLength(text, 'utf8')) return -1;
    return position + buffer.utf8Write(text, position);
  }

  #stringify(value: T, topic: string): string {
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (error) {
      throw unwritable('JSON', topic, (error as Error).message, error);
    }
    if (text === undefined) throw unwritable('JSON', topic, `${typeof value} has no JSON form`);
    return text;
  }
}

/**
 * JSON text in UTF-8. Without `validate` the type is only claimed, as anywhere in TypeScript: give a check where the
 * topic is written by others. Values without a JSON form throw `SERIALIZATION`, text that is no JSON or fails the check
 * throws `DESERIALIZATION`.
 * @example
 * ```ts
 * const trusted = json<Order>();
 * const checked = json<Order>({
 *   validate: (value) => {
 *     const order = value as Partial<Order>;
 *     if (typeof order.id === 'string' && typeof order.customerId === 'string' && typeof order.amount === 'number')
 *       return { id: order.id, customerId: order.customerId, amount: order.amount };
 *     throw new TypeError('not an order');
 *   },
 * });
 * ```
 */
export function json<T>(options?: JsonOptions<T>): Serde<T> {
  return new JsonSerde<T>(options?.validate);
}

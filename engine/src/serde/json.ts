import '../base/bytes.ts';
import { unreadable, unwritable } from './primitives.ts';
import type { Serde } from './serde.ts';

/** How JSON values are checked. */
export interface JsonOptions<T> {
  /** Checks (and may convert) what was parsed; whatever it throws becomes a deserialization error. zod's `schema.parse` fits. */
  readonly validate?: (value: unknown) => T;
}

const LETTER_N = 0x6e;

/** JSON's white space. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A check makes a serde of its own: what passed one has not passed another. */
let checkCount = 0;

class JsonSerde<T> implements Serde<T> {
  readonly format: string;
  readonly isOwnForm?: () => boolean;
  readonly mayPass?: () => boolean;
  readonly #validate: ((value: unknown) => T) | undefined;

  constructor(validate: ((value: unknown) => T) | undefined) {
    this.#validate = validate;
    if (validate === undefined) {
      this.format = 'json';
      return;
    }
    checkCount += 1;
    this.format = `json(checked ${checkCount})`;
    // Nothing passes unchecked, not even from a source straight to a sink.
    this.isOwnForm = () => false;
    this.mayPass = () => false;
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

  readsAsNull(buffer: Buffer, start: number, end: number): boolean {
    let at = start;
    while (at < end && isBlank(buffer[at])) at += 1;
    if (buffer[at] !== LETTER_N) return false;
    if (buffer.latin1Slice(at, end).trimEnd() !== 'null') return false;
    if (this.#validate === undefined) return true;
    try {
      return (this.#validate(null) ?? null) === null;
    } catch {
      // `deserialize` says so when its turn comes.
      return false;
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
 * JSON text in UTF-8; the text `null` reads as null. Numbers are JavaScript's: integers beyond 2^53 lose their last
 * digits when they are read, so keys that differ only there become one; send such ids as strings. Without `validate` the type is only claimed, as anywhere in TypeScript: give a check where the
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

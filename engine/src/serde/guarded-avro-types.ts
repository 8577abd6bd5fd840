import avsc, { type Type } from 'avsc';

/** The part of avsc's reader that array and map types use. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  skipLong(): void;
  readString(): string;
  skipString(): void;
  _invalidate(): void;
}

interface ItemReader {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/**
 * Reads the count of the next array or map block; 0 at the end. avsc believes any count, so that a damaged record of twenty bytes
 * would keep it busy for days: a block can't have more items than bytes left (items of no bytes, such as null, are refused).
 */
function readBlockCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong();
  }
  if (count > tap.buf.length - tap.pos) {
    tap._invalidate();
    return 0;
  }
  return count;
}

/**
 * Passes over all blocks of an array or map that no reader wants. A block with a negative count tells its length in bytes, which must
 * lead forward: a damaged one would send avsc round in circles.
 */
function skipBlocks(tap: Tap, skipItem: (tap: Tap) => void): void {
  for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
    const left = tap.buf.length - tap.pos;
    if (count < 0) {
      const bytes = tap.readLong();
      if (bytes < 0 || bytes > left) {
        tap._invalidate();
        return;
      }
      tap.pos += bytes;
      continue;
    }
    if (count > left) {
      tap._invalidate();
      return;
    }
    for (; count > 0 && tap.pos <= tap.buf.length; count -= 1) skipItem(tap);
  }
}

// avsc calls `_read` on types and on resolvers made from them alike; `itemsType`/`valuesType` exist on both.
class GuardedArrayType extends avsc.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const reader = this.itemsType as unknown as ItemReader;
    const items: unknown[] = [];
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count -= 1) items.push(reader._read(tap));
    }
    return items;
  }

  _skip(tap: Tap): void {
    const items = this.itemsType as unknown as ItemReader;
    skipBlocks(tap, (at) => items._skip(at));
  }
}

class GuardedMapType extends avsc.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const reader = this.valuesType as unknown as ItemReader;
    const values: Record<string, unknown> = {};
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count -= 1) {
        const key = tap.readString();
        const value = reader._read(tap);
        if (key === '__proto__') Object.defineProperty(values, key, { value, enumerable: true, configurable: true });
        else values[key] = value;
      }
    }
    return values;
  }

  _skip(tap: Tap): void {
    const values = this.valuesType as unknown as ItemReader;
    skipBlocks(tap, (at) => {
      at.skipString();
      values._skip(at);
    });
  }
}

/** An avsc type of a schema (JSON text or object) that can be trusted with damaged bytes. Throws when it is no Avro schema. */
export function guardedAvroType(schema: unknown): Type {
  return avsc.Type.forSchema(schema as Parameters<typeof avsc.Type.forSchema>[0], {
    typeHook: (nested, options) => {
      const type = (nested as { type?: unknown } | null)?.type;
      if (type === 'array') return new GuardedArrayType(nested, options);
      if (type === 'map') return new GuardedMapType(nested, options);
      return undefined;
    },
  });
}

import { describe, expect, it } from 'vitest';
import { Change } from '../../src/kstream/processors/table/change.ts';
import { Headers } from '../../src/processor/headers.ts';
import { Record } from '../../src/processor/record.ts';
import { saveState } from '../../src/processor/reused.ts';
import { string } from '../../src/serde/primitives.ts';

describe('a reused record', () => {
  it('holds again what was saved: key, value, time, headers, and datums that nodes refer to', () => {
    const scratch = Buffer.from('key');
    const record = new Record<string, string>('', 'value', 7, new Headers().add('h', 'x'));
    const { keyDatum, valueDatum } = record;
    keyDatum.setBytes(scratch, 0, 3, string(), 't');
    const restore = record[saveState]();
    scratch.write('yek');
    record.inheritFrom(new Record('other', 'else', 9));
    valueDatum.setNull();
    restore();
    expect([record.key, record.value, record.timestamp]).toEqual(['key', 'value', 7]);
    expect([...record.headers].map(({ key }) => key)).toEqual(['h']);
    expect(record.keyDatum).toBe(keyDatum);
    expect(record.valueDatum).toBe(valueDatum);
  });

  it('holds again the change of a table that it carried', () => {
    const change = new Change<string>();
    const record = new Record<string, Change<string>>('key', change, 7);
    change.newDatum.setObject('new');
    const restore = record[saveState]();
    change.newDatum.setObject('newer');
    change.oldDatum.setObject('new');
    change.isLatest = false;
    restore();
    expect([record.value.newValue, record.value.oldValue, record.value.isLatest]).toEqual(['new', null, true]);
  });
});

import { silentLog } from 'millrace';
import { expect, it } from 'vitest';
import { type Component, Components } from '../../src/platform/component.ts';

/** Components that write down what happens to them. */
function recording(): {
  readonly events: string[];
  readonly row: (name: string, more?: Partial<Component>) => Component;
} {
  const events: string[] = [];
  const row = (name: string, more: Partial<Component> = {}): Component => ({
    name,
    start: () => void events.push(`start ${name}`),
    close: () => void events.push(`close ${name}`),
    ...more,
  });
  return { events, row };
}

it('starts groups in order, and closes them in the reverse order whatever fails', async () => {
  const { events, row } = recording();
  const errors: unknown[] = [];
  const components = new Components({ ...silentLog, error: (fields) => errors.push(fields) });
  await components.start([row('broker'), row('database', { close: () => Promise.reject(new Error('gone')) })]);
  await components.start([row('reader')]);
  await components.close();
  expect(events).toEqual(['start broker', 'start database', 'start reader', 'close reader', 'close broker']);
  expect(errors).toEqual([{ err: new Error('gone'), component: 'database' }]);
  await components.close();
  expect(events).toHaveLength(5);
});

it('closes one whose start failed, too, since it may have got half-way', async () => {
  const { events, row } = recording();
  const components = new Components(silentLog);
  const fails = row('reader', { start: () => Promise.reject(new Error('no such topic')) });
  await expect(components.start([row('broker'), fails])).rejects.toThrow('no such topic');
  await components.close();
  expect(events).toEqual(['start broker', 'close broker', 'close reader']);
});

it('names those that don’t do their work, for as long as they don’t', async () => {
  const { row } = recording();
  const components = new Components(silentLog);
  let isReading = true;
  await components.start([row('broker'), row('replies', { isReady: () => isReading })]);
  expect(components.notReady()).toEqual([]);
  isReading = false;
  expect(components.notReady()).toEqual(['replies']);
});

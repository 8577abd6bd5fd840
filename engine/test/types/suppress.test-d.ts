// Checked by the compiler alone: suppressions that can't keep their promise don't compile.
import {
  BufferConfig,
  type KTable,
  StreamsBuilder,
  type StrictBufferConfig,
  Suppressed,
  string,
  TimeWindows,
  type Windowed,
} from '../../src/index.ts';

const builder = new StreamsBuilder();
const table: KTable<string, string> = builder.table('in', { key: string(), value: string() });
const counts: KTable<Windowed<string>, number> = table
  .toStream()
  .groupByKey()
  .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
  .count();

const finals: KTable<Windowed<string>, number> = counts.suppress(Suppressed.untilWindowCloses());
const limited: KTable<Windowed<string>, number> = counts.suppress(
  Suppressed.untilTimeLimit(5, BufferConfig.maxRecords(1)),
);
const plain: KTable<string, string> = table.suppress(Suppressed.untilTimeLimit(5, BufferConfig.unbounded()));
// @ts-expect-error keys without a window
table.suppress(Suppressed.untilWindowCloses());
// @ts-expect-error a buffer that emits early
Suppressed.untilWindowCloses(BufferConfig.maxBytes(100));
// @ts-expect-error a buffer that emits early
Suppressed.untilWindowCloses(BufferConfig.unbounded().emitEarlyWhenFull());
// @ts-expect-error the limits of the buffer are missing
Suppressed.untilTimeLimit(5);
const strict: StrictBufferConfig = BufferConfig.maxRecords(5).withMaxBytes(100).shutDownWhenFull();
Suppressed.untilWindowCloses(strict);
Suppressed.untilWindowCloses(BufferConfig.maxRecords(5).withNoBound());

export { finals, limited, plain };

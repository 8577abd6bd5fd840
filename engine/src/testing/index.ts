export type { CapturedChange, CapturedRecord } from './captured-records.ts';
export { TestClock } from './test-clock.ts';
export { type TestInputTime, TestInputTopic, TestOutputTopic, type TestRecord } from './test-topics.ts';
export { TopologyTestDriver, type TopologyTestDriverOptions } from './topology-test-driver.ts';

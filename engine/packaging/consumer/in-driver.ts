// A word count without a broker, and what a program can rely on in an installed package. Argument: the lines as JSON.
import { createRequire } from 'node:module';
import * as millrace from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import { wordCount } from './word-count.ts';

const { long, StreamsError, string } = millrace;
const lines = JSON.parse(process.argv[2] ?? '') as readonly string[];

function countsIn(driver: TopologyTestDriver): Record<string, number> {
  const input = driver.createInputTopic('lines', string(), string());
  for (const line of lines) input.pipeInput('any', line);
  return Object.fromEntries(driver.createOutputTopic('counts', string(), long()).readKeyValuesToMap());
}

/** The driver is another entry point: its errors must be of the very classes that `millrace` exports. */
function throwsErrorsOfMillrace(driver: TopologyTestDriver): boolean {
  try {
    driver.getKeyValueStore('nowhere');
    return false;
  } catch (error) {
    return error instanceof StreamsError;
  }
}

/** Only the two entry points can be imported: the compiler says so, too. */
async function codeOfDeepImport(): Promise<unknown> {
  try {
    // @ts-expect-error: there is no such entry point
    await import('millrace/dist/index.js');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

const driver = new TopologyTestDriver(wordCount('lines', 'counts'), { applicationId: 'words' });
try {
  const result = {
    node: process.version,
    counts: countsIn(driver),
    throwsErrorsOfMillrace: throwsErrorsOfMillrace(driver),
    codeOfDeepImport: await codeOfDeepImport(),
    requiredIsImported: createRequire(import.meta.url)('millrace').StreamsError === StreamsError,
  };
  console.log(JSON.stringify(result));
} finally {
  await driver.close();
}

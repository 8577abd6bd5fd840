import { existsSync } from 'node:fs';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
if (!existsSync(CHROMIUM)) {
  throw new Error(`The browser tests need Chromium at ${CHROMIUM} (CHROMIUM_PATH): apt-get install chromium`);
}
/** Where to leave a picture of the page, e.g. `docs/live-line.png`; none when it is not set. */
const screenshot = process.env['SCREENSHOT'];
const localDirectory = testDirectory('test-live-line');
/** From a start to the first board, on a busy machine. */
const START_MS_MAX = 240_000;
/** A busy machine takes its time from the camera to the screen. */
const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 60_000, interval: 200 });
/** A board's image is this wide, px. */
const IMAGE_PX = 640;
/** The page draws boxes a little larger than their defects, and never smaller than it takes to see them, px of the image. */
const BOX_PX_MIN = 19;

let line: StartedLine;
let browser: Browser;
let url: URL;

beforeAll(async () => {
  // A fixed seed: the same boards are defective every time, the first of them early.
  line = new StartedLine(localDirectory, ['--rate', '300', '--port', '0', '--seed', '7']);
  const [, printed] = await line.printed(/live line: (\S+)/, START_MS_MAX);
  url = new URL(printed ?? '');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}, START_MS_MAX + 60_000);

afterAll(async () => {
  await browser?.close();
  if (line?.isRunning === true) await line.interrupt();
  removeTestDirectory(localDirectory);
}, 60_000);

const text = (page: Page, id: string) => page.getByTestId(id).textContent();
const number = async (page: Page, id: string) => Number.parseFloat((await text(page, id)) ?? '');

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The boxes drawn over a board, in pixels of its image. */
function drawnBoxes(card: Locator): Promise<Rectangle[]> {
  return card.getByTestId('defect-box').evaluateAll((boxes) =>
    boxes.map((box) => {
      const at = (name: string) => Number(box.getAttribute(name));
      return { x: at('x'), y: at('y'), width: at('width'), height: at('height') };
    }),
  );
}

/** What the API says about the board of a card. */
async function defectsOf(card: Locator): Promise<Rectangle[]> {
  const [id] = ((await card.getAttribute('data-key')) ?? '').split(' ');
  const token = new URLSearchParams(url.hash.slice(1)).get('token');
  const response = await fetch(`${url.origin}/v1/inspections/${id}`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  const { defects } = (await response.json()) as { defects: { location: Rectangle }[] };
  return defects.map(({ location }) => location);
}

describe('the live page of a running line in Chromium', () => {
  it('shows numbers that move, and the boxes of a defective board where its defects are', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1250 } });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url.href);
    await page.getByTestId('connection').getByText('Live', { exact: true }).waitFor();

    await soon(() => number(page, 'boards-per-minute')).toBeGreaterThan(0);
    const before = await number(page, 'boards-per-minute');
    await soon(() => number(page, 'boards-per-minute')).toBeGreaterThan(before);
    await soon(() => text(page, 'yield-line-1')).toMatch(/^\d+\.\d%$/);
    await soon(() => number(page, 'plant-yield')).toBeGreaterThan(50);
    expect(await text(page, 'latency-p95')).toMatch(/^\d+\.\d\d s$/);
    await soon(() => page.getByTestId('latest').getByTestId('board-card').count()).toBe(6);

    // Cards come and go: hold them, then look.
    await page.getByTestId('rejects').getByTestId('board-card').first().waitFor({ timeout: 120_000 });
    await page.getByRole('button', { name: 'Pause boards' }).click();
    const card = page.getByTestId('rejects').locator('[data-verdict=fail]').first();
    await card.waitFor();
    const image = card.locator('img');
    await soon(() => image.evaluate((img) => Number(Reflect.get(img, 'naturalWidth')))).toBe(IMAGE_PX);
    const defects = await defectsOf(card);
    expect(defects.length).toBeGreaterThan(0);
    await soon(async () => (await drawnBoxes(card)).length).toBe(defects.length);
    for (const [index, box] of (await drawnBoxes(card)).entries()) {
      const defect = defects[index] as Rectangle;
      expect(box.x + box.width / 2).toBeCloseTo(defect.x + defect.width / 2, 0);
      expect(box.y + box.height / 2).toBeCloseTo(defect.y + defect.height / 2, 0);
      expect(box.width).toBeGreaterThanOrEqual(Math.max(defect.width, BOX_PX_MIN));
      expect(box.height).toBeGreaterThanOrEqual(Math.max(defect.height, BOX_PX_MIN));
    }
    // What is in the image's coordinates must also lie on the picture that people see.
    const picture = await image.boundingBox();
    const seen = await card.getByTestId('defect-box').first().boundingBox();
    const first = defects[0] as Rectangle;
    if (picture === null || seen === null) throw new Error('The board is not visible');
    expect((seen.x + seen.width / 2 - picture.x) / picture.width).toBeCloseTo(
      (first.x + first.width / 2) / IMAGE_PX,
      1,
    );
    expect((seen.y + seen.height / 2 - picture.y) / picture.height).toBeCloseTo(
      (first.y + first.height / 2) / IMAGE_PX,
      1,
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  // Not a test that is skipped: without a place for it there is no picture to take.
  if (screenshot !== undefined) {
    it('has its picture taken', { timeout: 600_000 }, async () => {
      const page = await browser.newPage({ viewport: { width: 1440, height: 1125 } });
      await page.goto(url.href);
      // Three minutes make a chart, and enough boards to judge the lines by.
      await page.waitForTimeout(Number(process.env['SCREENSHOT_AFTER_MS'] ?? 200_000));
      await soon(() => page.getByTestId('rejects').getByTestId('board-card').count()).toBe(6);
      await page.getByRole('button', { name: 'Pause boards' }).click();
      await page.waitForTimeout(2_000);
      await page.screenshot({ path: screenshot });
      await page.close();
    });
  }
});

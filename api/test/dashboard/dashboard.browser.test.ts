import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawnBoard, ImageStore, MadeUpLine } from '../support/made-up-line.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
if (!existsSync(CHROMIUM)) {
  throw new Error(`The browser tests need Chromium at ${CHROMIUM} (CHROMIUM_PATH): apt-get install chromium`);
}

const store = new ImageStore();
let api: TestServer;
let line: MadeUpLine;
let browser: Browser;

beforeAll(async () => {
  const objectsOrigin = await store.start();
  api = await startTestServer({ heartbeatMs: 500 }, { imageOrigins: [objectsOrigin] });
  api.platform.objectsOrigin = objectsOrigin;
  line = new MadeUpLine(api.platform, api.feed, store);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
});

afterAll(async () => {
  await browser?.close();
  await api.close();
  await store.stop();
});

/** Opens the page and collects everything the browser complains about. */
async function open(): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1100 } });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const token = await api.token({ scopes: ['live:read', 'inspections:read'] });
  await page.goto(`${api.origin}/#token=${token}`);
  return { page, complaints };
}

/** The page redraws twice a second; a busy machine takes longer. */
const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 20_000 });

const text = (page: Page, id: string) => page.getByTestId(id).textContent();

describe('the live page in Chromium', () => {
  it('shows moving numbers, and boxes on a defective board', async () => {
    const { page, complaints } = await open();
    await page.getByTestId('connection').getByText('Live', { exact: true }).waitFor();
    expect(page.url()).not.toContain('token');
    await soon(() => text(page, 'boards-per-minute')).toBe('0');

    for (let index = 0; index < 10; index += 1) line.finish('A', drawnBoard(0));
    await soon(() => text(page, 'boards-per-minute')).toBe('10');
    await soon(() => text(page, 'yield-A')).toBe('100.0%');
    line.finish('A', drawnBoard(3));
    await soon(() => text(page, 'boards-per-minute')).toBe('11');
    await soon(() => text(page, 'yield-A')).toBe('90.9%');
    expect(await text(page, 'latency-p95')).toMatch(/^0\.\d\d s$/);

    const reject = page.getByTestId('rejects').getByTestId('board-card').first();
    await reject.waitFor();
    await soon(() => reject.getByTestId('defect-box').count()).toBe(3);
    // Boxes lie over their defects: the first is 26 × 18 pixels at (90, 62) of 640, with a margin and a least size.
    const picture = await reject.locator('.picture').boundingBox();
    const box = await reject.getByTestId('defect-box').first().boundingBox();
    if (picture === null || box === null) throw new Error('The board is not visible');
    expect((box.x + box.width / 2 - picture.x) / picture.width).toBeCloseTo((90 + 13) / 640, 1);
    expect((box.y + box.height / 2 - picture.y) / picture.height).toBeCloseTo((62 + 9) / 640, 1);

    line.finish('B', drawnBoard(0), Date.now(), 'invalid_image:not-an-image');
    await page.getByText('The upload is not an image').first().waitFor();
    expect(complaints.filter((complaint) => !complaint.includes('404'))).toEqual([]);
    await page.close();
  });

  it('turns a line red and says so when its yield falls', async () => {
    const { page } = await open();
    const past = Date.now() - 3 * 60_000;
    for (let index = 0; index < 60; index += 1) {
      line.finish('C', drawnBoard(index % 10 === 0 ? 1 : 0), past);
      line.finish('D', drawnBoard(index % 10 === 0 ? 1 : 0), past);
    }
    for (let index = 0; index < 12; index += 1) line.finish('D', drawnBoard(index % 2));
    const tile = page.locator('.tile', { has: page.getByTestId('yield-D') });
    await soon(() => tile.getAttribute('data-state')).toBe('alarm');
    expect(await page.getByTestId('alarm').textContent()).toContain('Line D has fallen below its limit');
    await page.close();
  });

  it('opens a board large with the keyboard, and pauses', async () => {
    const { page } = await open();
    line.finish('A', drawnBoard(2));
    const card = page.getByTestId('rejects').getByTestId('board-card').first();
    await card.waitFor();
    await card.getByRole('button').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await soon(() => dialog.getByTestId('defect-box').count()).toBe(2);
    expect(await dialog.getByRole('row').count()).toBe(3);
    const opinions = dialog.getByTestId('second-opinion');
    expect(await opinions.allTextContents()).toEqual(['the same, 93.0 %', 'Look: no defect, 93.0 %']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pause boards' }).click();
    const before = await card.getAttribute('data-key');
    line.finish('A', drawnBoard(1));
    await page.waitForTimeout(2500);
    expect(await card.getAttribute('data-key')).toBe(before);
    await page.close();
  });

  it('comes back by itself after the server was away, and asks for a token when it is refused', async () => {
    const { page } = await open();
    await page.getByTestId('connection').getByText('Live', { exact: true }).waitFor();
    await page.context().setOffline(true);
    const { port } = api;
    await api.close();
    await page.getByTestId('connection').getByText('retrying').waitFor();
    const objectsOrigin = api.platform.objectsOrigin;
    api = await startTestServer({ heartbeatMs: 500 }, { imageOrigins: [objectsOrigin], port });
    await page.context().setOffline(false);
    await page.getByTestId('connection').getByText('Live', { exact: true }).waitFor({ timeout: 40_000 });

    await page.goto(`${api.origin}/?again#token=wrong`);
    await page.getByRole('dialog').getByText('refused or has expired').waitFor();
    await page.close();
  });
});

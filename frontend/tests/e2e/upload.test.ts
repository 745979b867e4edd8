import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { cuttableLine } from './line.ts';
import { picture, publish, signIn } from './people.ts';
import { flac, noise, stack, wave } from './stack.ts';

const NAME = 'Bob & The Quiet';

test.beforeEach(async ({ page }) => {
  await signIn(page, 'bob.test', NAME);
  const { uploads } = (await (await page.request.get('/api/uploads/')).json()) as { uploads: { upload_id: string }[] };
  for (const { upload_id } of uploads) {
    await page.request.delete(`/api/uploads/${upload_id}`, { headers: { origin: stack.web, 'tus-resumable': '1.0.0' } });
  }
});

async function choose(page: Page, file: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]): Promise<void> {
  await page.goto('/upload');
  await page.locator('section.drop input[type=file]').setInputFiles(file);
}

async function uplinkOf(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const uploadThroughput = bytesPerSecond;
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput });
}

/**
 * until bytes go on from beyond the first megabyte, in the upload that was begun.
 *
 * the first question for the offset may come before the broken request's last chunk is durable; then the api refuses
 * the wrong offset and is asked again, which is not starting over.
 */
async function resuming(page: Page): Promise<void> {
  let begun = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/uploads/')) begun += 1;
  });
  await page.waitForRequest(
    (request) => request.method() === 'PATCH' && Number(request.headers()['upload-offset']) > 1_000_000,
    { timeout: 30_000 },
  );
  expect(begun).toBe(0);
}

async function sentShare(page: Page): Promise<number> {
  const words = (await page.locator('form .progress p').textContent()) ?? '';
  const [, sent, sentUnit, size] = /([\d.]+) (B|kB|MB) (?:of|kept)? ?([\d.]+)?/.exec(words) ?? [];
  return size ? (Number(sent) * (sentUnit === 'kB' ? 0.001 : sentUnit === 'B' ? 0.000001 : 1)) / Number(size) : 0;
}

test('a reload in the middle goes on by itself from where it was, form and all', async ({ page }) => {
  await uplinkOf(page, 2_000_000);
  await choose(page, { name: 'long take.wav', mimeType: 'audio/wav', buffer: noise(16) });
  await page.getByLabel('title').fill('Long Take');
  await page.getByLabel('tags').fill('field,');
  await page.getByRole('button', { name: 'publish', exact: true }).click();
  await expect.poll(() => sentShare(page), { timeout: 30_000 }).toBeGreaterThan(0.2);

  await picture(page, 'upload-sending');
  const resumed = resuming(page);
  await page.reload();
  await expect(page.getByLabel('title')).toHaveValue('Long Take');
  await expect(page.getByText('field', { exact: true })).toBeVisible();
  await resumed;
  await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'Long Take' })).toBeVisible();
});

test('a file this browser could not keep is asked for again, and only its rest is sent', async ({ page }) => {
  const path = join(mkdtempSync(join(tmpdir(), 'plyr-e2e-')), 'slow tide.wav');
  writeFileSync(path, noise(12));
  await uplinkOf(page, 2_000_000);
  await choose(page, path);
  await expect.poll(() => sentShare(page), { timeout: 30_000 }).toBeGreaterThan(0.2);
  await page.evaluate(
    () =>
      new Promise((done) => {
        const opening = indexedDB.open('plyr');
        opening.onsuccess = () => {
          const clearing = opening.result.transaction('upload_files', 'readwrite');
          clearing.objectStore('upload_files').clear();
          clearing.oncomplete = done;
        };
      }),
  );
  await page.reload();
  await expect(page.getByText('choose the same file again')).toBeVisible();
  await picture(page, 'upload-needs-file');
  const resumed = resuming(page);
  await page.locator('.wanted input[type=file]').setInputFiles(path);
  await resumed;
  await page.getByRole('button', { name: 'publish', exact: true }).click();
  await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
});

test('a broken connection is bridged without a word from the person', async ({ browser }) => {
  const line = await cuttableLine();
  const context = await browser.newContext({ baseURL: stack.web, proxy: { server: line.address, bypass: '<-loopback>' } });
  const page = await context.newPage();
  await signIn(page, 'bob.test', NAME);
  await uplinkOf(page, 2_000_000);
  await choose(page, { name: 'over the bridge.wav', mimeType: 'audio/wav', buffer: noise(10) });
  await page.getByRole('button', { name: 'publish', exact: true }).click();
  await expect.poll(() => sentShare(page), { timeout: 30_000 }).toBeGreaterThan(0.2);
  line.cut();
  await expect(page.getByText('trying to reconnect')).toBeVisible();
  line.mend();
  await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
  await context.close();
  line.close();
});

test('what is on its way stays in sight while one moves through the app', async ({ page }) => {
  await uplinkOf(page, 1_500_000);
  await choose(page, { name: 'in sight.wav', mimeType: 'audio/wav', buffer: noise(8) });
  await page.getByRole('button', { name: 'publish', exact: true }).click();
  await page.getByRole('link', { name: 'home', exact: true }).click();
  const tray = page.locator('.side').getByRole('region', { name: 'uploads' });
  await expect(tray).toContainText('in sight');
  await picture(page, 'upload-tray');
  await expect(tray.getByText('live', { exact: true })).toBeVisible({ timeout: 60_000 });
  await tray.getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'in sight' })).toBeVisible();
});

test.describe('what cannot be published says why, keeps the form, and offers the next step', () => {
  for (const { what, file, says } of [
    { what: 'a text that calls itself mp3', file: { name: 'notes.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from('no music here, '.repeat(900)) }, says: /not audio|no audio|not.*sound/i },
    { what: 'an empty file', file: { name: 'nothing.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(0) }, says: /empty/i },
    { what: 'half a flac', file: { name: 'half.flac', mimeType: 'audio/flac', buffer: flac({ hz: 333 }).subarray(0, 200_000) }, says: /breaks off|cut|end/i },
  ]) {
    test(what, async ({ page }) => {
      await choose(page, file);
      const publishing = page.getByRole('button', { name: 'publish', exact: true });
      if (file.buffer.length) await publishing.click();
      const alert = page.locator('form').getByRole('alert');
      await expect(alert).toContainText(says, { timeout: 30_000 });
      await expect(alert).toContainText('kept');
      await picture(page, `upload-refused-${file.name}`);
      await alert.locator('input[type=file]').setInputFiles({ name: 'good.wav', mimeType: 'audio/wav', buffer: wave({ hz: 200 + file.buffer.length / 1000 }) });
      await expect(page.getByLabel('title')).toHaveValue(/notes|nothing|half/);
      if (!file.buffer.length) await publishing.click();
      await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
    });
  }

  test('a cover that is no picture', async ({ page }) => {
    await choose(page, { name: 'covered.wav', mimeType: 'audio/wav', buffer: wave({ hz: 611 }) });
    await page.locator('.cover input[type=file]').setInputFiles({ name: 'cover.png', mimeType: 'image/png', buffer: Buffer.from('not a picture at all') });
    await expect(page.locator('.cover').getByRole('alert')).toContainText('the audio is kept');
    await page.getByRole('button', { name: 'remove', exact: true }).click();
    await page.getByRole('button', { name: 'publish', exact: true }).click();
    await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
  });

  test('a title of 300 characters', async ({ page }) => {
    await choose(page, { name: 'long.wav', mimeType: 'audio/wav', buffer: wave({ hz: 622 }) });
    await page.getByLabel('title').fill('long '.repeat(60));
    await page.getByRole('button', { name: 'publish', exact: true }).click();
    await expect(page.locator('form').getByRole('alert')).toContainText('256');
    await page.getByLabel('title').fill('Long Enough');
    await page.getByRole('button', { name: 'publish', exact: true }).click();
    await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
  });

  test('the same file twice leads to the track that is there', async ({ page }) => {
    const file = { name: 'once.wav', mimeType: 'audio/wav', buffer: wave({ hz: 633 }) };
    await publish(page, file);
    const first = page.url();
    await choose(page, file);
    await page.getByRole('button', { name: 'publish', exact: true }).click();
    await page.getByRole('link', { name: 'open the track' }).click();
    await expect(page).toHaveURL(first);
  });
});

test('an upload can be cancelled, and leaves nothing behind', async ({ page }) => {
  await uplinkOf(page, 1_000_000);
  await choose(page, { name: 'never mind.wav', mimeType: 'audio/wav', buffer: noise(10) });
  await expect.poll(() => sentShare(page), { timeout: 30_000 }).toBeGreaterThan(0.05);
  await page.getByRole('button', { name: 'cancel' }).click();
  await expect(page.getByText('drop your audio anywhere')).toBeVisible();
  await page.reload();
  await expect(page.getByText('drop your audio anywhere')).toBeVisible();
});

test('one can delete a track of one’s own, after being asked', async ({ page }) => {
  await publish(page, { name: 'short lived.wav', mimeType: 'audio/wav', buffer: wave({ hz: 644 }) });
  const address = page.url();
  await page.goto('/portal');
  await page.getByRole('button', { name: 'delete short lived' }).click();
  const dialog = page.getByRole('dialog', { name: 'delete this track?' });
  await dialog.getByRole('button', { name: 'keep it' }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'delete short lived' }).click();
  await dialog.getByRole('button', { name: 'delete it' }).click();
  await expect(page.getByRole('link', { name: 'short lived' })).toHaveCount(0);
  expect((await page.goto(address))?.status()).toBe(404);
});

// named to run first: it begins on an empty product, before anybody has signed in
import { expect, test } from '@playwright/test';
import { authorize, hears, loudness, picture, signIn, sound } from './people.ts';
import { cover, flac, stack } from './stack.ts';

test.describe.configure({ mode: 'serial' });

test('a sign-in that is denied ends on a page that says so and offers the way back', async ({ page }) => {
  await authorize(page, 'alice.test', { agrees: false });
  await expect(page).toHaveURL(/\/login\?.*error=denied/);
  await expect(page.getByRole('alert')).toContainText('nothing was changed');
  await expect(page.getByLabel('your handle')).toHaveValue('alice.test');
});

test('from sign-in to sound, to a stranger, to the record', async ({ page, browser, request }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'it is quiet here' })).toBeVisible();
  await picture(page, 'home-empty');

  await authorize(page, 'alice.test');
  await expect(page).toHaveURL(/\/profile\/setup/);
  await page.getByLabel('artist name').fill('Alice Moss');
  await page.getByLabel('about you').fill('songs for small rooms');
  await picture(page, 'profile-setup');
  await page.getByRole('button', { name: 'save and go on' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]))).not.toMatch(/exchange|session_id/);

  await page.getByRole('link', { name: 'upload', exact: true }).click();
  await page.locator('section.drop input[type=file]').setInputFiles({ name: '01 - night_drive.flac', mimeType: 'audio/flac', buffer: flac({ hz: 392 }) });
  await expect(page.getByLabel('title')).toHaveValue('night drive');
  await page.getByLabel('title').fill('Night Drive');
  await page.getByLabel('tags').fill('Ambient, tape,');
  await page.getByLabel('description').fill('recorded at four in the morning');
  await page.locator('.cover input[type=file]').setInputFiles({ name: 'cover.png', mimeType: 'image/png', buffer: cover() });
  await expect(page.getByAltText('the cover you chose')).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await picture(page, 'upload-form');
  await page.getByRole('button', { name: 'publish', exact: true }).click();

  await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'Night Drive' })).toBeVisible();
  await expect(page.getByRole('list', { name: 'tags' })).toContainText('ambient');
  await expect(page.getByRole('img', { name: 'cover of Night Drive' })).toBeVisible();
  const address = page.url();

  await page.locator('article').getByRole('button', { name: 'play Night Drive' }).click();
  await hears(page);
  expect(await loudness(page)).toBeGreaterThan(0.01);

  await page.getByRole('link', { name: 'home', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'latest' })).toBeVisible();
  await hears(page);

  const track = await (await request.get(`/api/tracks/${address.split('/').at(-1)}`)).json();
  const [, , did, collection, rkey] = track.atproto_record_uri.split('/');
  const record = await (
    await request.get(`${stack.pds}/xrpc/com.atproto.repo.getRecord`, { params: { repo: did, collection, rkey } })
  ).json();
  expect(record.cid).toBe(track.atproto_record_cid);
  expect(record.value).toMatchObject({
    $type: collection,
    title: 'Night Drive',
    artist: 'Alice Moss',
    fileType: 'flac',
    duration: 20,
    tags: ['ambient', 'tape'],
    description: 'recorded at four in the morning',
    audioUrl: track.r2_url,
    createdAt: expect.stringMatching(/Z$/),
  });
  expect(new Date(record.value.createdAt).getTime()).toBe(new Date(track.created_at).getTime());

  await page.getByRole('button', { name: 'sign out' }).click();
  await expect(page.getByRole('navigation', { name: 'main' }).getByRole('link', { name: 'sign in' })).toBeVisible();

  const stranger = await browser.newContext();
  const theirs = await stranger.newPage();
  await theirs.goto(address);
  await theirs.locator('article').getByRole('button', { name: 'play Night Drive' }).click();
  await hears(theirs);
  expect(await loudness(theirs)).toBeGreaterThan(0.01);
  await theirs.reload();
  await expect(theirs.getByRole('region', { name: 'player' })).toBeVisible();
  expect((await sound(theirs)).is_paused).toBe(true);
  await stranger.close();
});

test('a second sign-in goes straight back to where one was', async ({ page }) => {
  await page.goto('/portal');
  await expect(page).toHaveURL(/\/login\?return_to=/);
  await authorize(page, 'alice.test', { path: page.url() });
  await expect(page).toHaveURL(/\/portal$/);
  await expect(page.getByRole('link', { name: 'Night Drive' })).toBeVisible();
});

test('an unknown handle is named as such', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('your handle').fill('nobody-at-all.test');
  await page.getByRole('button', { name: 'go on' }).click();
  await expect(page).toHaveURL(/error=handle_not_found/);
  await expect(page.getByRole('heading', { name: 'we cannot find that handle' })).toBeVisible();
});

test('what does not exist says so and leads back', async ({ page }) => {
  for (const path of ['/track/999999', '/u/nobody.test', '/no/such/page', '/track/abc']) {
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole('link', { name: 'to the latest tracks' })).toBeVisible();
  }
});

test('signing in twice in one browser keeps one session', async ({ page }) => {
  await signIn(page, 'alice.test', 'Alice Moss');
  await page.goto('/login');
  await expect(page).toHaveURL(/\/$/);
});

import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { hears, signIn, sound } from './people.ts';
import { cover, stack, wave } from './stack.ts';

const HANDLE = 'alice.test';
const NAME = 'Alice Moss';
/** more than one page of the feed holds. */
const PIECES = 34;
/** what home may weigh; covers in sight count as requests. */
const MOST_SCRIPT_KB = 60;
const MOST_REQUESTS = 30;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000);
  const page = await browser.newPage({ baseURL: stack.web });
  await signIn(page, HANDLE, NAME);
  for (let n = 0; n < PIECES; n++) {
    const answer = await page.request.post('/api/tracks/', {
      headers: { origin: stack.web },
      multipart: {
        file: { name: `piece ${n}.wav`, mimeType: 'audio/wav', buffer: wave({ seconds: 6, hz: 220 + n * 7 }) },
        title: `Piece ${n}`,
        tags: JSON.stringify(['ambient', 'study']),
        description: 'one of many small pieces, each on a note of its own.',
        ...(n % 2 ? { image: { name: 'c.png', mimeType: 'image/png', buffer: cover(320, [(n * 37) % 120, (n * 59) % 120, (n * 83) % 120]) } } : {}),
      },
    });
    expect(answer.status(), await answer.text()).toBe(202);
  }
  await expect.poll(() => published(page), { timeout: 200_000, intervals: [1_000] }).toBeGreaterThanOrEqual(PIECES);
  await page.close();
});

async function published(page: Page): Promise<number> {
  let count = 0;
  let cursor: string | null = null;
  do {
    const answer = await page.request.get(`/api/tracks/me?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    const list = (await answer.json()) as { tracks: { title: string }[]; next_cursor: string | null };
    count += list.tracks.filter((track) => track.title.startsWith('Piece ')).length;
    cursor = list.next_cursor;
  } while (cursor);
  return count;
}

/** the player's place, once the page has come alive. */
async function alive(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('audio')?.preload === 'none');
  await page.waitForLoadState('networkidle');
}

test('the first answer holds the rows, without any script', async ({ request }) => {
  const html = await (await request.get('/')).text();
  expect(html).toContain(`Piece ${PIECES - 1}`);
  expect(html).not.toContain('exchange_token');
});

test('the feed goes on, and back finds the same place', async ({ page }) => {
  await page.goto('/');
  await alive(page);
  const rows = page.getByRole('list', { name: 'latest', exact: true }).getByRole('listitem');
  await expect.poll(() => rows.count()).toBeLessThan(30);
  await page.mouse.wheel(0, 20_000);
  await expect.poll(() => rows.count()).toBeGreaterThan(24);
  const last = rows.last();
  await last.scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => scrollY);
  expect(place).toBeGreaterThan(400);
  await last.locator('a.title').click();
  await page.waitForURL(/\/track\//);
  await page.goBack();
  await expect(rows.last()).toBeInViewport();
  expect(Math.abs((await page.evaluate(() => scrollY)) - place)).toBeLessThan(40);
});

test('the last row is never under the player', async ({ page }) => {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto('/u/alice.test');
    await alive(page);
    await page.getByRole('button', { name: 'play all' }).click();
    await hears(page);
    const rows = page.getByRole('list', { name: NAME }).getByRole('listitem');
    await expect(async () => {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      expect(await rows.count()).toBeGreaterThanOrEqual(PIECES);
    }).toPass();
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const row = await rows.last().boundingBox();
    const bar = await page.getByRole('region', { name: 'player' }).boundingBox();
    const tabs = width < 800 ? await page.locator('nav[aria-label=main]').last().boundingBox() : bar;
    expect((row?.y ?? 0) + (row?.height ?? 0)).toBeLessThanOrEqual(Math.min(bar?.y ?? 0, tabs?.y ?? 0));
    expect((bar?.y ?? 0) + (bar?.height ?? 0)).toBe(800);
  }
});

test('a row plays what follows it, and navigation never interrupts', async ({ page }) => {
  await page.goto('/');
  await alive(page);
  const rows = page.getByRole('list', { name: 'latest', exact: true });
  const title = (await rows.locator('a.title').nth(1).textContent()) ?? '';
  const following = (await rows.locator('a.title').nth(2).textContent()) ?? '';
  await page.getByRole('button', { name: `play ${title}`, exact: true }).first().click();
  await hears(page);
  const bar = page.getByRole('region', { name: 'player' });
  await expect(bar.getByRole('link', { name: title, exact: true })).toBeVisible();
  await bar.getByRole('link', { name: title, exact: true }).click();
  await page.waitForURL(/\/track\//);
  await page.goBack();
  await hears(page);
  await bar.getByRole('slider', { name: 'position' }).fill('5');
  await expect(bar.getByRole('link', { name: following, exact: true })).toBeVisible({ timeout: 10_000 });
  await hears(page);
});

test('the keyboard steers the player, and belongs to text fields while one types', async ({ page }) => {
  await page.goto('/u/alice.test');
  await alive(page);
  await page.getByRole('button', { name: 'play all' }).click();
  await hears(page);
  await page.locator('h1').click();
  await page.keyboard.press(' ');
  await expect.poll(async () => (await sound(page)).is_paused).toBe(true);
  await page.keyboard.press('ArrowLeft');
  await expect.poll(async () => (await sound(page)).at_s).toBeLessThan(0.5);
  const bar = page.getByRole('region', { name: 'player' });
  const first = await bar.locator('a.name').textContent();
  await page.keyboard.press('l');
  await expect(bar.locator('a.name')).not.toHaveText(first ?? '');
  await page.keyboard.press('j');
  await expect(bar.locator('a.name')).toHaveText(first ?? '');
  await page.keyboard.press('ArrowDown');
  await expect(bar.getByRole('slider', { name: 'volume' })).toHaveJSProperty('value', '0.95');
  await page.keyboard.press('m');
  await expect(bar.getByRole('button', { name: 'mute' })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('m');

  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'keyboard' });
  await expect(help).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();

  await hears(page);
  await page.getByRole('navigation', { name: 'main' }).getByRole('link', { name: 'sign in' }).click();
  const field = page.getByLabel('your handle');
  await field.focus();
  await page.keyboard.type('m jl ');
  await expect(field).toHaveValue('m jl ');
  await expect(bar.getByRole('button', { name: 'mute' })).toHaveAttribute('aria-pressed', 'false');
  expect((await sound(page)).is_paused).toBe(false);

  await page.getByRole('button', { name: /colours|go on/ }).first().focus();
  await bar.getByRole('button', { name: /^pause/ }).focus();
  await page.keyboard.press(' ');
  await expect.poll(async () => (await sound(page)).is_paused).toBe(true);
});

test('one can go from the top of the page to playing with the keyboard alone', async ({ page }) => {
  await page.goto('/');
  await alive(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  for (let n = 0; n < 6; n++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement?.matches('button[aria-label^="play "]'))) break;
  }
  await page.keyboard.press(' ');
  await hears(page);
});

test('only one tab sounds', async ({ page, context }) => {
  await page.goto('/u/alice.test');
  await alive(page);
  await page.getByRole('button', { name: 'play all' }).click();
  await hears(page);
  const other = await context.newPage();
  await other.goto('/');
  await alive(other);
  await other.getByRole('region', { name: 'player' }).getByRole('button', { name: /^play/ }).first().click();
  await hears(other);
  await expect.poll(async () => (await sound(page)).is_paused).toBe(true);
  await expect(page.getByText('playing in another tab').first()).toBeVisible();
});

test('a track whose bytes do not come says so, and plays once they do', async ({ page }) => {
  await page.route('**/audio/**', (route) => route.abort());
  await page.goto('/u/alice.test');
  await alive(page);
  await page.getByRole('button', { name: 'play all' }).click();
  const bar = page.getByRole('region', { name: 'player' });
  await expect(bar.getByText('could not be fetched').first()).toBeVisible();
  await page.unroute('**/audio/**');
  await bar.getByRole('button', { name: 'try again' }).first().click();
  await hears(page);
});

const PAGES = ['/', '/login?error=wrong_account&handle=alice.test', '/u/alice.test', '/track/first', '/upload', '/portal', '/no/such/page'];

test('every page is sound for assistive technology in both themes', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, HANDLE, NAME);
  const track = await firstTrack(page);
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    for (const path of PAGES) {
      await page.goto(path.replace('first', track));
      await alive(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${path} ${theme} ${id}: ${nodes.map((node) => node.html).slice(0, 3)}`)).toEqual([]);
    }
  }
});

test('no page scrolls sideways, from 320 px up', async ({ page }) => {
  await signIn(page, HANDLE, NAME);
  const track = await firstTrack(page);
  for (const width of [320, 390, 768, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of PAGES) {
      await page.goto(path.replace('first', track));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(over, `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

async function firstTrack(page: Page): Promise<string> {
  const { tracks } = (await (await page.request.get('/api/tracks/?limit=1')).json()) as { tracks: { id: number }[] };
  return String(tracks[0]?.id);
}

test('pictures of every page, to be looked at', async ({ page }, info) => {
  test.setTimeout(180_000);
  await signIn(page, HANDLE, NAME);
  const track = await firstTrack(page);
  await page.goto('/');
  await alive(page);
  await page.getByRole('button', { name: /^play Piece/ }).first().click();
  await hears(page);
  await page.keyboard.press(' ');
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    for (const theme of ['dark', 'light'] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: theme });
      for (const path of PAGES) {
        await page.goto(path.replace('first', track));
        await alive(page);
        const name = path.replace(/\?.*/, '').replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'home';
        await page.screenshot({ path: `${info.project.outputDir}/pictures/${name}-${width}-${theme}.png` });
      }
    }
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await page.getByRole('button', { name: 'show the whole player' }).click();
  await page.screenshot({ path: `${info.project.outputDir}/pictures/now-playing-390-light.png` });
});

test('home is light: few requests and little script before a row can be played', async ({ page }) => {
  const sizes: number[] = [];
  let requests = 0;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const scripts = new Set<string>();
  session.on('Network.responseReceived', ({ requestId, type }) => {
    requests += 1;
    if (type === 'Script') scripts.add(requestId);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) sizes.push(encodedDataLength);
  });
  await page.goto('/');
  await alive(page);
  const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1_000;
  test.info().annotations.push({ type: 'home', description: `${requests} requests, ${kilobytes.toFixed(1)} kB of script` });
  console.log(`home: ${requests} requests, ${kilobytes.toFixed(1)} kB of script`);
  expect(kilobytes).toBeLessThanOrEqual(MOST_SCRIPT_KB);
  expect(requests).toBeLessThanOrEqual(MOST_REQUESTS);
});

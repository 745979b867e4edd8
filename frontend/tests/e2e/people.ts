import { expect, test, type Page } from '@playwright/test';
import { stack } from './stack.ts';

/** go to the person's own server, type the password there, and agree (or not). ends wherever that leads. */
export async function authorize(page: Page, handle: string, { agrees = true, path = '/login' } = {}): Promise<void> {
  await page.goto(path);
  await page.getByLabel('your handle').fill(handle);
  await page.getByRole('button', { name: 'go on' }).click();
  await page.waitForURL((url) => url.origin === stack.pds);
  await page.locator('input[type=password]').fill(stack.password);
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: agrees ? 'Authorize' : /deny|cancel|reject/i }).click();
  await page.waitForURL((url) => url.origin === stack.web && !url.pathname.startsWith('/auth/'));
}

/** sign in, and set up a profile when this is the first time. */
export async function signIn(page: Page, handle: string, name: string): Promise<void> {
  await authorize(page, handle);
  if (new URL(page.url()).pathname === '/profile/setup') {
    await page.getByLabel('artist name').fill(name);
    await page.getByRole('button', { name: 'save and go on' }).click();
    await page.waitForURL((url) => url.pathname === '/');
  }
  await expect(page.getByRole('button', { name: 'sign out' })).toBeVisible();
}

/** a picture of the page as it is now, wide and on a phone, to be looked at. */
export async function picture(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  for (const [width, height] of [[390, 844], [1440, 900]] as const) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${test.info().project.outputDir}/pictures/${name}-${width}.png`, fullPage: width < 800 });
  }
  if (before) await page.setViewportSize(before);
}

/** what the page's audio element is doing. */
export function sound(page: Page): Promise<{ at_s: number; is_paused: boolean }> {
  return page.locator('audio').evaluate((audio: HTMLAudioElement) => ({ at_s: audio.currentTime, is_paused: audio.paused }));
}

/** the loudest decoded sample over a moment of what the element plays, 0–1. */
export function loudness(page: Page): Promise<number> {
  return page.locator('audio').evaluate(async (audio: HTMLAudioElement) => {
    const capture = audio as HTMLAudioElement & { captureStream: () => MediaStream };
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(capture.captureStream()).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let peak = 0;
    for (let look = 0; look < 20; look++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      analyser.getFloatTimeDomainData(samples);
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    }
    await context.close();
    return peak;
  });
}

/** wait until sound advances. */
export async function hears(page: Page): Promise<void> {
  const before = await sound(page);
  await expect.poll(async () => (await sound(page)).at_s, { timeout: 15_000 }).toBeGreaterThan(Math.max(before.at_s, 0.3) + 0.5);
}

/** upload a file with the form as it is prefilled, and land on its track. */
export async function publish(page: Page, file: { name: string; mimeType: string; buffer: Buffer }, title?: string): Promise<void> {
  await page.goto('/upload');
  await page.locator('section.drop input[type=file]').setInputFiles(file);
  if (title) await page.getByLabel('title').fill(title);
  await page.getByRole('button', { name: 'publish', exact: true }).click();
  await page.waitForURL(/\/track\/\d+$/, { timeout: 60_000 });
}

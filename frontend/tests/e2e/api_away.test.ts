import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { picture } from './people.ts';

const frontend = join(import.meta.dirname, '..', '..');
let web: ChildProcess;
let origin: string;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.beforeAll(async () => {
  const [port, nobody] = [await freePort(), await freePort()];
  origin = `http://127.0.0.1:${port}`;
  web = spawn(process.execPath, ['server.js'], {
    cwd: frontend,
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', BACKEND_URL: `http://127.0.0.1:${nobody}` },
  });
  await new Promise<void>((resolve, reject) => {
    web.stdout?.on('data', (line: Buffer) => line.includes('web ready') && resolve());
    web.once('exit', () => reject(new Error('the web server ended')));
  });
});

test.afterAll(() => {
  web.kill('SIGTERM');
});

test('with the api away every page says so, with status 503 and a way to try again', async ({ page }) => {
  for (const path of ['/', '/track/1', '/u/alice.test']) {
    const answer = await page.goto(origin + path);
    expect(answer?.status()).toBe(503);
    await expect(page.getByRole('heading', { name: 'the music server is resting' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'try again' })).toBeVisible();
  }
  await picture(page, 'api-away');
});

test('the sign-in page still stands, and the api pipe answers readably', async ({ page, request }) => {
  expect((await page.goto(`${origin}/login`))?.status()).toBe(200);
  const answer = await request.get(`${origin}/api/tracks/`);
  expect(answer.status()).toBe(502);
  expect(await answer.json()).toMatchObject({ error: 'api_unreachable' });
});

test('a sign-in that cannot be finished leads back to the form', async ({ page }) => {
  await page.goto(`${origin}/auth/finish?exchange_token=whatever`);
  await expect(page).toHaveURL(/\/login\?error=api_unreachable/);
  await expect(page.getByRole('alert')).toContainText('nothing was lost');
});

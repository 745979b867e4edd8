import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { apiPath, createApiProxy } from '../../../server/api_proxy.js';

const open: http.Server[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function web(backendUrl: string, trustProxy = false): Promise<string> {
  const proxy = createApiProxy({ backendUrl, trustProxy });
  return listen((req, res) => proxy(req, res, () => res.end('a page')));
}

function request(url: string, options: http.RequestOptions = {}): http.ClientRequest {
  return http.request(url, options);
}

test('a path under /api goes to the api without the prefix, every other one to the pages', async () => {
  expect(apiPath('/api/tracks/?limit=1')).toBe('/tracks/?limit=1');
  expect(apiPath('/api')).toBe('/');
  expect(apiPath('/apiary')).toBeNull();
  const origin = await web(await listen((req, res) => res.end(req.url)));
  expect(await (await fetch(`${origin}/api/tracks/tags/a%2Fb?x=%20`)).text()).toBe('/tracks/tags/a%2Fb?x=%20');
  expect(await (await fetch(`${origin}/track/1`)).text()).toBe('a page');
});

test('status, cookies and redirects come back as they are', async () => {
  const origin = await web(
    await listen((_req, res) => {
      res.writeHead(303, { location: 'https://elsewhere.example/', 'set-cookie': ['a=1; HttpOnly', 'b=2; SameSite=Lax'] });
      res.end();
    }),
  );
  const answer = await fetch(`${origin}/api/auth/start`, { redirect: 'manual' });
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('https://elsewhere.example/');
  expect(answer.headers.getSetCookie()).toEqual(['a=1; HttpOnly', 'b=2; SameSite=Lax']);
});

test('the api learns who asks from us, not from what a stranger claims', async () => {
  const backend = await listen((req, res) => res.end(JSON.stringify(req.headers)));
  const claim = { headers: { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https' } };
  const plain = await (await fetch(`${await web(backend)}/api/`, claim)).json();
  expect(plain['x-forwarded-for']).toBe('127.0.0.1');
  expect(plain['x-forwarded-proto']).toBe('http');
  const behindEdge = await (await fetch(`${await web(backend, true)}/api/`, claim)).json();
  expect(behindEdge['x-forwarded-for']).toBe('6.6.6.6, 127.0.0.1');
  expect(behindEdge['x-forwarded-proto']).toBe('https');
});

test('a body is passed on while it is still being sent', async () => {
  const seen: string[] = [];
  let heard: () => void = () => undefined;
  const firstPart = new Promise<void>((resolve) => (heard = resolve));
  const origin = await web(
    await listen((req, res) => {
      req.on('data', (part: Buffer) => {
        seen.push(part.toString());
        heard();
      });
      req.on('end', () => res.end('whole'));
    }),
  );
  const sending = request(`${origin}/api/uploads/1`, { method: 'PATCH' });
  sending.write('first');
  await firstPart;
  expect(seen).toEqual(['first']);
  sending.end('second');
  const [answer] = (await once(sending, 'response')) as [http.IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  expect(seen.join('')).toBe('firstsecond');
});

test('an event arrives while the stream is still open', async () => {
  const origin = await web(
    await listen((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: one\n\n');
    }),
  );
  const asking = request(`${origin}/api/progress`).end();
  const [answer] = (await once(asking, 'response')) as [http.IncomingMessage];
  const [part] = (await once(answer, 'data')) as [Buffer];
  expect(part.toString()).toBe('data: one\n\n');
  asking.destroy();
});

test('a visitor who leaves is told to the api at once', async () => {
  let gone: () => void = () => undefined;
  const left = new Promise<void>((resolve) => (gone = resolve));
  const origin = await web(
    await listen((_req, res) => {
      res.write('data: one\n\n');
      res.on('close', () => gone());
    }),
  );
  const asking = request(`${origin}/api/progress`).end();
  await once(asking, 'response');
  asking.destroy();
  await left;
});

test('an upload that breaks off reaches the api as broken off, not as complete', async () => {
  let tell: (how: string) => void = () => undefined;
  const ending = new Promise<string>((resolve) => (tell = resolve));
  const origin = await web(
    await listen((req) => {
      req.on('end', () => tell('complete'));
      req.on('error', () => tell('broken'));
      req.on('data', () => sending.destroy());
    }),
  );
  const sending = request(`${origin}/api/uploads/1`, { method: 'PATCH', headers: { 'content-length': '1000' } });
  sending.on('error', () => undefined);
  sending.write('half of it');
  expect(await ending).toBe('broken');
});

test('an api that is away gives a readable answer', async () => {
  const gone = await listen(() => undefined);
  open.pop()?.close();
  const answer = await fetch(`${await web(gone)}/api/tracks/`);
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ error: 'api_unreachable' });
});

test('an api that refuses early is heard, though the body was not sent to its end', async () => {
  const origin = await web(
    await listen((_req, res) => {
      res.writeHead(413, { 'content-type': 'application/json' });
      res.end('{"error":"too_large","detail":"no"}');
    }),
  );
  const sending = request(`${origin}/api/uploads/`, { method: 'POST', headers: { 'content-length': '1000000' } });
  sending.on('error', () => undefined);
  sending.write('a');
  const [answer] = (await once(sending, 'response')) as [http.IncomingMessage];
  expect(answer.statusCode).toBe(413);
  sending.destroy();
});

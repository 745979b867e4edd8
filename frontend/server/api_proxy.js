import http from 'node:http';

/** headers that belong to one connection and are never passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

const CONNECT_DEADLINE_MS = 5_000;
// shorter than the api server's own keep-alive, so that we never write into a socket it is closing
const IDLE_SOCKET_MS = 3_000;
const DRAIN_MS = 2_000;

/**
 * @typedef {object} ApiProxyOptions
 * @property {string} backendUrl where the api answers, e.g. http://127.0.0.1:8000
 * @property {boolean} [trustProxy] true behind our own edge: keep its x-forwarded-* instead of writing them anew
 */

/**
 * make a connect-style middleware that pipes `/api/*` to the api and everything else to `next`.
 *
 * bodies stream in both directions and are never parsed, limited or collected, so memory stays flat
 * and server-sent events arrive as they are written; when either side goes away the other one is told.
 * errors: 502 `{"error":"api_unreachable"}` when the api cannot be reached before it answered
 *
 * @param {ApiProxyOptions} options
 * @returns {(req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void) => void}
 */
export function createApiProxy({ backendUrl, trustProxy = false }) {
  const backend = new URL(backendUrl);
  const agent = new http.Agent({ keepAlive: true, timeout: IDLE_SOCKET_MS });

  return (req, res, next) => {
    const path = apiPath(req.url ?? '/');
    if (path === null) return next();
    pipeRequest({ req, res, backend, agent, path, trustProxy, mayRetry: hasNoBody(req) });
  };
}

/**
 * the path as the api sees it, or null when the url is not ours: `/api/tracks/?limit=1` → `/tracks/?limit=1`.
 * @param {string} url
 */
export function apiPath(url) {
  if (url === '/api') return '/';
  return url.startsWith('/api/') ? url.slice('/api'.length) : null;
}

/**
 * @param {{req: http.IncomingMessage, res: http.ServerResponse, backend: URL, agent: http.Agent, path: string,
 *   trustProxy: boolean, mayRetry: boolean}} job
 */
function pipeRequest(job) {
  const { req, res, backend, agent, path, trustProxy, mayRetry } = job;
  const upstream = http.request({
    agent,
    host: backend.hostname,
    port: backend.port || 80,
    method: req.method,
    path,
    headers: requestHeaders(req, backend, trustProxy),
  });
  const connectTimer = setTimeout(() => upstream.destroy(new Error('connect deadline')), CONNECT_DEADLINE_MS);

  upstream.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => clearTimeout(connectTimer));
    else clearTimeout(connectTimer);
  });
  upstream.on('response', (answer) => pipeAnswer(req, res, answer));
  upstream.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    clearTimeout(connectTimer);
    if (mayRetry && upstream.reusedSocket && error.code === 'ECONNRESET' && !res.headersSent) {
      pipeRequest({ ...job, mayRetry: false });
    } else {
      answerUnreachable(req, res);
    }
  });
  res.on('close', () => {
    clearTimeout(connectTimer);
    if (!res.writableFinished) upstream.destroy();
  });
  if (mayRetry) upstream.end();
  else req.pipe(upstream);
}

/**
 * @param {http.IncomingMessage} req
 * @param {http.ServerResponse} res
 * @param {http.IncomingMessage} answer
 */
function pipeAnswer(req, res, answer) {
  const headers = Object.fromEntries(
    Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
  );
  if (!req.complete) headers['connection'] = 'close';
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  res.flushHeaders();
  answer.on('error', () => res.destroy());
  answer.on('aborted', () => res.destroy());
  answer.pipe(res);
  res.on('finish', () => closeUnreadUpload(req));
}

/**
 * an api that answered before the upload ended (413, 401) wants no more bytes: give the client a moment to read why.
 * @param {http.IncomingMessage} req
 */
function closeUnreadUpload(req) {
  if (req.complete) return;
  req.unpipe();
  req.resume();
  setTimeout(() => req.complete || req.socket.destroy(), DRAIN_MS).unref();
}

/**
 * @param {http.IncomingMessage} req
 * @param {http.ServerResponse} res
 */
function answerUnreachable(req, res) {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const body = JSON.stringify({
    error: 'api_unreachable',
    detail: 'the music server is not answering right now. nothing you had was lost; try again in a moment.',
  });
  res.writeHead(502, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'retry-after': '2',
    ...(req.complete ? {} : { connection: 'close' }),
  });
  res.end(body);
  closeUnreadUpload(req);
}

/**
 * @param {http.IncomingMessage} req
 * @param {URL} backend
 * @param {boolean} trustProxy
 * @returns {http.OutgoingHttpHeaders}
 */
function requestHeaders(req, backend, trustProxy) {
  /** @type {http.OutgoingHttpHeaders} */
  const headers = {};
  for (const [name, value] of Object.entries(req.headers)) {
    if (!HOP_BY_HOP.has(name) && !name.startsWith('x-forwarded-')) headers[name] = value;
  }
  if (req.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked';
  headers['host'] = backend.host;
  const address = req.socket.remoteAddress ?? '';
  const told = trustProxy ? req.headers : {};
  headers['x-forwarded-for'] = told['x-forwarded-for'] ? `${told['x-forwarded-for']}, ${address}` : address;
  headers['x-forwarded-host'] = told['x-forwarded-host'] ?? req.headers.host ?? '';
  headers['x-forwarded-proto'] = told['x-forwarded-proto'] ?? 'http';
  return headers;
}

/** @param {http.IncomingMessage} req */
function hasNoBody(req) {
  const isRead = req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS';
  return isRead && !req.headers['content-length'] && !req.headers['transfer-encoding'];
}

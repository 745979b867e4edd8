import http from 'node:http';
import { createApiProxy } from './server/api_proxy.js';
import { backendUrl, trustsProxy } from './server/settings.js';

const STOP_DEADLINE_MS = 5_000;
const host = process.env.HOST || '127.0.0.1';
const port = Number(process.env.PORT || 5173);

// the built handler learns the scheme from a header only; without an edge before us that header is written below
process.env.PROTOCOL_HEADER = 'x-forwarded-proto';
const built = new URL('./build/handler.js', import.meta.url);
/** @type {{ handler: (req: http.IncomingMessage, res: http.ServerResponse, next: () => void) => void }} */
const { handler } = await import(built.href);

const apiProxy = createApiProxy({ backendUrl: backendUrl(), trustProxy: trustsProxy() });
const server = http.createServer((req, res) => {
  if (!trustsProxy() || !req.headers['x-forwarded-proto']) req.headers['x-forwarded-proto'] = 'http';
  apiProxy(req, res, () =>
    handler(req, res, () => {
      res.statusCode = 404;
      res.end();
    }),
  );
});
// an upload may take longer than node's default five minutes per request
server.requestTimeout = 0;

server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  const reason = error.code === 'EADDRINUSE' ? `port ${port} on ${host} is taken by another program` : error.message;
  console.error(`web: could not start: ${reason}`);
  process.exit(1);
});
server.listen(port, host, () => console.log(`web ready on http://${host}:${port}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), STOP_DEADLINE_MS).unref();
  });
}

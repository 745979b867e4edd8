import { createApiProxy } from './api_proxy.js';
import { backendUrl, trustsProxy } from './settings.js';

/**
 * give the vite dev server the same `/api` pipe that production has.
 * @returns {import('vite').Plugin}
 */
export function apiProxyPlugin() {
  return {
    name: 'plyr-api-proxy',
    configureServer(server) {
      // an upload may take longer than node's default five minutes per request
      if (server.httpServer && 'requestTimeout' in server.httpServer) server.httpServer.requestTimeout = 0;
      server.middlewares.use(createApiProxy({ backendUrl: backendUrl(), trustProxy: trustsProxy() }));
    },
  };
}

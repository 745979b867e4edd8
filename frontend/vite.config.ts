import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';
import { apiProxyPlugin } from './server/api_proxy_plugin.js';

export default defineConfig({
  plugins: [
    apiProxyPlugin(),
    sveltekit({
      adapter: adapter({ precompress: true }),
      // covers and audio may live on a CDN chosen by a server setting, so only scripts are pinned to this origin
      csp: {
        mode: 'auto',
        directives: {
          'default-src': ['self'],
          'script-src': ['self'],
          'style-src': ['self', 'unsafe-inline'],
          'img-src': ['self', 'https:', 'http:', 'data:', 'blob:'],
          'media-src': ['self', 'https:', 'http:', 'blob:'],
          'connect-src': ['self', 'ws:'],
          'object-src': ['none'],
          'base-uri': ['none'],
          'frame-ancestors': ['none'],
        },
      },
      version: { pollInterval: 0 },
      // small style sheets ride in the page: a dozen requests less on a first visit
      inlineStyleThreshold: 6_000,
    }),
  ],
  environments: {
    client: {
      build: {
        rolldownOptions: {
          // what several pages need travels as one file instead of twenty small ones, and compresses better
          output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 3 }] } },
        },
      },
    },
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  test: {
    include: ['tests/unit/**/*.test.ts'],
    environment: 'node',
    testTimeout: 20_000,
  },
});

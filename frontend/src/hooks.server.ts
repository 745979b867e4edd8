import type { Handle, HandleServerError } from '@sveltejs/kit/hooks';
import { viewerOf } from '#lib/api/auth.ts';
import { apiFor } from '#lib/api/server.ts';

const SESSION_COOKIE = 'session_id';

/** put the viewer into locals; a page still renders for a stranger while the api is away. */
export const handle: Handle = async ({ event, resolve }) => {
  event.locals.viewer = null;
  if (event.cookies.get(SESSION_COOKIE)) {
    event.locals.viewer = await viewerOf(apiFor(event)).catch(() => null);
  }
  const response = await resolve(event);
  response.headers.set('referrer-policy', 'same-origin');
  response.headers.set('x-content-type-options', 'nosniff');
  return response;
};

/** errors nobody foresaw get a kind sentence; the details go to the log only. */
export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind === 'framework' && error.status === 404) return { message: 'there is nothing at this address.' };
  if (kind !== 'unknown') return {};
  console.error(`web: ${event.request.method} ${event.url.pathname} failed`, error);
  return { message: 'something broke on our side. nothing you had was lost.' };
};

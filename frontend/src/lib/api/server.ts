import { error, redirect } from '@sveltejs/kit';
import type { RequestEvent } from '@sveltejs/kit';
import createClient from 'openapi-fetch';
import { backendUrl } from '../../../server/settings.js';
import { answered, type Api } from './client.ts';
import { ApiProblem } from './problem.ts';
import type { paths } from './schema.d.ts';

const DEADLINE_MS = 10_000;

/** the api as server rendering reaches it: straight to the backend, speaking for the visitor whose request this is. */
export function apiFor(event: RequestEvent): Api {
  const headers: Record<string, string> = {
    'x-client': 'web',
    origin: event.url.origin,
    'x-forwarded-host': event.url.host,
    'x-forwarded-proto': event.url.protocol.slice(0, -1),
  };
  const cookie = event.request.headers.get('cookie');
  if (cookie) headers.cookie = cookie;
  const address = addressOf(event);
  if (address) headers['x-forwarded-for'] = address;
  return createClient<paths>({
    baseUrl: backendUrl(),
    headers,
    fetch: (request) => fetch(request, { signal: AbortSignal.timeout(DEADLINE_MS) }),
  });
}

/**
 * turn a problem of the api into the page's own error or, where signing in would help, a way to the sign-in page.
 *
 * errors: always throws; 503 when the api is away, 404 for what does not exist, the api's status otherwise
 */
export function pageError(problem: unknown, event: RequestEvent): never {
  if (!(problem instanceof ApiProblem)) throw problem;
  if (problem.status === 401) {
    redirect(303, `/login?return_to=${encodeURIComponent(event.url.pathname + event.url.search)}`);
  }
  if (problem.status === 0 || problem.status === 502 || problem.status === 503) {
    error(503, problem.detail, { code: 'api_unreachable' });
  }
  error(problem.status === 422 || problem.status === 400 ? 404 : problem.status, problem.detail, { code: problem.code });
}

function addressOf(event: RequestEvent): string | null {
  try {
    return event.getClientAddress();
  } catch {
    return null;
  }
}

/**
 * trade the one-time token of a finished sign-in for a session.
 *
 * returns where to go and the cookies the api sets, to be handed to the browser as they are.
 * errors: ApiProblem 400/401 when the token is used up or too old
 */
export async function exchangeToken(event: RequestEvent, token: string) {
  const call = apiFor(event).POST('/auth/exchange', { body: { exchange_token: token } });
  const signedIn = await answered(call);
  const { response } = await call;
  return { signedIn, cookies: response.headers.getSetCookie() };
}

import { ApiProblem } from '#lib/api/problem.ts';
import { exchangeToken } from '#lib/api/server.ts';
import { safeReturnTo } from '#lib/features/session/return_to.ts';
import type { RequestHandler } from './$types';

/**
 * the end of a sign-in: the one-time token becomes a cookie and the browser is sent on at once, so that the token
 * stands in no page, no history entry and no referrer.
 */
export const GET: RequestHandler = async (event) => {
  const token = event.url.searchParams.get('exchange_token');
  if (!token) return sendOn('/login?error=invalid_request');
  try {
    const { signedIn, cookies } = await exchangeToken(event, token);
    const returnTo = safeReturnTo(signedIn.return_to);
    const target = signedIn.needs_profile ? `/profile/setup?return_to=${encodeURIComponent(returnTo)}` : returnTo;
    return sendOn(target, cookies);
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    const isAway = problem.status === 0 || problem.status >= 500;
    const code = isAway ? 'api_unreachable' : problem.code === 'wrong_browser' ? 'wrong_browser' : 'exchange_expired';
    return sendOn(`/login?error=${code}`);
  }
};

function sendOn(target: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location: target, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  return new Response(null, { status: 303, headers });
}

import { redirect } from '@sveltejs/kit';
import { safeReturnTo } from '#lib/features/session/return_to.ts';
import type { PageServerLoad } from './$types';

/** what the sign-in form starts with; somebody who is signed in already is sent on, unless their server wants them `again`. */
export const load: PageServerLoad = ({ locals, url }) => {
  const returnTo = safeReturnTo(url.searchParams.get('return_to'));
  const error = url.searchParams.get('error');
  const isAgain = url.searchParams.has('again');
  if (locals.viewer && !error && !isAgain) redirect(303, returnTo);
  return { returnTo, error, handle: url.searchParams.get('handle') ?? '' };
};

import { redirect } from '@sveltejs/kit';
import { safeReturnTo } from '#lib/features/session/return_to.ts';
import type { PageServerLoad } from './$types';

/** what the sign-in form starts with; somebody who is signed in already is sent on. */
export const load: PageServerLoad = ({ locals, url }) => {
  const returnTo = safeReturnTo(url.searchParams.get('return_to'));
  const error = url.searchParams.get('error');
  if (locals.viewer && !error) redirect(303, returnTo);
  return { returnTo, error, handle: url.searchParams.get('handle') ?? '' };
};

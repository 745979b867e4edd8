import { redirect } from '@sveltejs/kit';
import { safeReturnTo } from '#lib/features/session/return_to.ts';
import type { PageServerLoad } from './$types';

/** the first sign-in's last step; who has a profile already is sent on. */
export const load: PageServerLoad = ({ locals, url }) => {
  const returnTo = safeReturnTo(url.searchParams.get('return_to'));
  if (!locals.viewer) redirect(303, `/login?return_to=${encodeURIComponent('/profile/setup')}`);
  if (locals.viewer.has_profile) redirect(303, returnTo);
  return { returnTo };
};

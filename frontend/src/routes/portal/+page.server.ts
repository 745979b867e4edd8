import { apiFor, pageError } from '#lib/api/server.ts';
import { pageOfOwnTracks } from '#lib/api/tracks.ts';
import { redirect } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

/** the artist's own tracks. */
export const load: PageServerLoad = async (event) => {
  if (!event.locals.viewer) redirect(303, '/login?return_to=/portal');
  return { first: await pageOfOwnTracks(apiFor(event)).catch((problem) => pageError(problem, event)) };
};

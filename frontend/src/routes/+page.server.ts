import { apiFor, pageError } from '#lib/api/server.ts';
import { pageOfTracks } from '#lib/api/tracks.ts';
import type { PageServerLoad } from './$types';

/** the newest tracks. */
export const load: PageServerLoad = async (event) => ({
  first: await pageOfTracks(apiFor(event)).catch((problem) => pageError(problem, event)),
});

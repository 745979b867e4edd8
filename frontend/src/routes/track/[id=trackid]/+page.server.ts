import { apiFor, pageError } from '#lib/api/server.ts';
import { trackById } from '#lib/api/tracks.ts';
import type { PageServerLoad } from './$types';

/** one track. */
export const load: PageServerLoad = async (event) => ({
  track: await trackById(apiFor(event), event.params.id).catch((problem) => pageError(problem, event)),
});

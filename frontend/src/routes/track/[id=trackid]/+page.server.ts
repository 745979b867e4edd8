import { apiFor, pageError } from '#lib/api/server.ts';
import { pageOfTracks, trackById } from '#lib/api/tracks.ts';
import type { PageServerLoad } from './$types';

const MORE_TRACKS = 6;

/** one track, and what else its artist has published; without the latter the page still stands. */
export const load: PageServerLoad = async (event) => {
  const api = apiFor(event);
  const track = await trackById(api, event.params.id).catch((problem) => pageError(problem, event));
  const others = await pageOfTracks(api, { artistDid: track.artist_did }).catch(() => null);
  const more = (others?.tracks ?? []).filter((other) => other.id !== track.id).slice(0, MORE_TRACKS);
  return { track, more };
};

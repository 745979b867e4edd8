import { artistByName } from '#lib/api/artists.ts';
import { apiFor, pageError } from '#lib/api/server.ts';
import { pageOfTracks } from '#lib/api/tracks.ts';
import type { PageServerLoad } from './$types';

/** an artist, by handle or DID, and their newest tracks. */
export const load: PageServerLoad = async (event) => {
  const api = apiFor(event);
  try {
    const artist = await artistByName(api, event.params.handle);
    return { artist, first: await pageOfTracks(api, { artistDid: artist.did }) };
  } catch (problem) {
    return pageError(problem, event);
  }
};

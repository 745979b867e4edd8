import { answered, type Api } from './client.ts';
import type { Track, TrackPage } from './types.ts';

/** how many tracks one page of a list holds. */
export const PAGE_SIZE = 30;

/** one page of public tracks, newest first; of one artist when `artistDid` is given. */
export function pageOfTracks(api: Api, { cursor, artistDid }: { cursor?: string | null; artistDid?: string } = {}): Promise<TrackPage> {
  const query = {
    limit: PAGE_SIZE,
    ...(cursor ? { cursor } : {}),
    ...(artistDid ? { artist_did: artistDid } : {}),
  };
  return answered(api.GET('/tracks/', { params: { query } }));
}

/** one page of the signed-in artist's own tracks, newest first. */
export function pageOfOwnTracks(api: Api, { cursor }: { cursor?: string | null } = {}): Promise<TrackPage> {
  return answered(api.GET('/tracks/me', { params: { query: { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) } } }));
}

/** one track. errors: ApiProblem 404 */
export function trackById(api: Api, id: number): Promise<Track> {
  return answered(api.GET('/tracks/{track_id}', { params: { path: { track_id: id } } }));
}

/** take one of the viewer's own tracks down, its record included. errors: ApiProblem 404 when it is not theirs */
export async function deleteTrack(api: Api, id: number): Promise<void> {
  await answered(api.DELETE('/tracks/{track_id}', { params: { path: { track_id: id } } }));
}

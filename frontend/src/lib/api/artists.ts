import { answered, type Api } from './client.ts';
import type { Artist } from './types.ts';

/** an artist by handle or DID. errors: ApiProblem 404 */
export function artistByName(api: Api, name: string): Promise<Artist> {
  return name.startsWith('did:')
    ? answered(api.GET('/artists/{did}', { params: { path: { did: name } } }))
    : answered(api.GET('/artists/by-handle/{handle}', { params: { path: { handle: name } } }));
}

/** make the viewer's artist profile. errors: ApiProblem 409 when there is one, 422 for a bad name */
export function createArtist(api: Api, profile: { displayName: string; bio: string }): Promise<Artist> {
  const body = { display_name: profile.displayName, bio: profile.bio || null, show_liked_on_profile: false };
  return answered(api.POST('/artists/', { body }));
}

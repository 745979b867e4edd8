import { answered, type Api } from './client.ts';
import { ApiProblem } from './problem.ts';
import type { Viewer } from './types.ts';

/** who is signed in, null for a stranger. errors: ApiProblem when the api cannot say */
export async function viewerOf(api: Api): Promise<Viewer | null> {
  try {
    return await answered(api.GET('/auth/me'));
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 401) return null;
    throw problem;
  }
}

/** end this session, here and at the person's own server. */
export async function signOut(api: Api): Promise<void> {
  await answered(api.POST('/auth/logout'));
}

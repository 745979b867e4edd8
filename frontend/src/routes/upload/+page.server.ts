import { redirect } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

/** uploading needs somebody to upload for, and a profile to publish under. */
export const load: PageServerLoad = ({ locals }) => {
  if (!locals.viewer) redirect(303, '/login?return_to=/upload');
  if (!locals.viewer.has_profile) redirect(303, '/profile/setup?return_to=/upload');
  return {};
};

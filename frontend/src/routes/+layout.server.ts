import type { LayoutServerLoad } from './$types';

/** who is looking, for every page. */
export const load: LayoutServerLoad = ({ locals }) => ({ viewer: locals.viewer });

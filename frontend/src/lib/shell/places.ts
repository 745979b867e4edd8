import type { Viewer } from '#lib/api/types.ts';
import type { IconName } from '#lib/ui/Icon.svelte';

export interface Place {
  href: string;
  label: string;
  icon: IconName;
}

/** where the navigation leads, for this viewer. */
export function placesFor(viewer: Viewer | null): Place[] {
  const places: Place[] = [{ href: '/', label: 'home', icon: 'home' }];
  if (!viewer) return [...places, { href: '/upload', label: 'upload', icon: 'upload' }, { href: '/login', label: 'sign in', icon: 'enter' }];
  return [...places, { href: '/upload', label: 'upload', icon: 'upload' }, { href: '/portal', label: 'your desk', icon: 'desk' }];
}

/** whether the page at `path` belongs to this place. */
export function isAt(place: Place, path: string): boolean {
  return place.href === '/' ? path === '/' : path === place.href || path.startsWith(`${place.href}/`);
}

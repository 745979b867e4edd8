/** a path of this site to go back to, or `/`: never another origin, never a page that would send one in circles. */
export function safeReturnTo(wanted: string | null | undefined): string {
  if (!wanted || !wanted.startsWith('/') || wanted.startsWith('//') || wanted.includes('\\')) return '/';
  const url = new URL(wanted, 'http://here.invalid');
  if (url.host !== 'here.invalid') return '/';
  if (/^\/(?:login|auth|api)(?:\/|$)/.test(url.pathname)) return '/';
  return url.pathname + url.search + url.hash;
}

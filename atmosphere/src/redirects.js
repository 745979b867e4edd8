/**
 * Let the PDS read https://app.example/... from loopback: the metadata and keys
 * of a confidential client, which may not live on a local name.
 *
 * A match becomes a plain GET, because the PDS's own fetch options carry a
 * dispatcher that refuses addresses written as numbers.
 */
export function installRedirects(redirects) {
  if (redirects.length === 0) return
  const original = globalThis.fetch
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const elsewhere = redirected(url, redirects)
    if (!elsewhere) return original(input, init)
    return original(elsewhere, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: init?.signal,
    })
  }
}

/** Where `url` is really to be read, or undefined when no rule names it. */
export function redirected(url, redirects) {
  for (const { from, to } of redirects) {
    if (url === from || url.startsWith(`${from}/`)) return to + url.slice(from.length)
  }
}

/**
 * Make sure each handle has an account; resolves to { handle: did }.
 *
 * An account left from an earlier start is kept as it is, whatever its state.
 */
export async function ensureAccounts(pds, handles, { baseUrl, password }) {
  const dids = {}
  for (const handle of handles) {
    const known = await pds.ctx.accountManager.getAccount(handle, {
      includeDeactivated: true,
      includeTakenDown: true,
    })
    dids[handle] = known ? known.did : await create(baseUrl, handle, password)
  }
  return dids
}

async function create(baseUrl, handle, password) {
  const response = await fetch(`${baseUrl}/xrpc/com.atproto.server.createAccount`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ handle, email: `${handle}@mail.test`, password }),
  })
  const body = await response.json()
  if (!response.ok) throw new Error(`no account for ${handle}: ${body.message ?? body.error}`)
  return body.did
}

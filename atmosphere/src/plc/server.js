import { once } from 'node:events'
import { createServer } from 'node:http'
import { didDocument } from './document.js'

const MAX_OPERATION_BYTES = 100_000

/** Serve a directory over HTTP the way the public one does; resolves to the listening server. */
export async function servePlc(directory, { port, host }) {
  const server = createServer((request, response) => {
    answer(directory, request)
      .catch((error) => ({ status: error.status ?? 400, body: { message: error.message } }))
      .then((result) => send(response, result))
  })
  await once(server.listen(port, host), 'listening')
  return server
}

async function answer(directory, request) {
  const url = new URL(request.url, 'http://plc')
  const [did, ...rest] = decodeURIComponent(url.pathname).slice(1).split('/')
  if (request.method === 'POST') {
    await directory.submit(did, JSON.parse(await bodyOf(request)))
    return { body: 'OK', type: 'text/plain' }
  }
  if (did === '_health') return { body: { version: 'atmosphere' } }
  if (did === 'export') return exported(directory, url.searchParams)
  return read(directory, did, rest.join('/'))
}

async function read(directory, did, what) {
  const operations = directory.operations(did)
  if (operations.length === 0) return missing(404, `DID not registered: ${did}`)
  if (what === 'log') return { body: operations }
  if (what === 'log/audit') return { body: directory.audit(did) }
  if (what === 'log/last') return { body: operations.at(-1) }
  if (what !== '' && what !== 'data') return missing(404, 'no such route')
  const data = await directory.data(did)
  if (!data) return missing(410, `DID not available: ${did}`)
  if (what === 'data') return { body: data }
  return { body: didDocument(data), type: 'application/did+ld+json' }
}

function exported(directory, query) {
  const count = Math.min(Number(query.get('count')) || 1000, 1000)
  const entries = directory.export({ after: query.get('after') ?? '', count })
  return { body: entries.map((entry) => JSON.stringify(entry)).join('\n'), type: 'application/jsonlines' }
}

function missing(status, message) {
  return { status, body: { message } }
}

async function bodyOf(request) {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > MAX_OPERATION_BYTES) throw Object.assign(new Error('operation too large'), { status: 413 })
  }
  return body
}

function send(response, { status = 200, body, type = 'application/json' }) {
  response.writeHead(status, { 'content-type': type, 'access-control-allow-origin': '*' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { Secp256k1Keypair } from '@atproto/crypto'
import plc from '@did-plc/lib'
import { Directory } from '../src/plc/directory.js'
import { servePlc } from '../src/plc/server.js'

let folder, file, directory, server, base, key

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'plc-'))
  file = path.join(folder, 'plc.jsonl')
  key = await Secp256k1Keypair.create()
  directory = await new Directory(file).load()
  server = await servePlc(directory, { port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${server.address().port}`
})

afterEach(() => {
  server.close()
  fs.rmSync(folder, { recursive: true })
})

const genesis = (handle) =>
  plc.createOp({ signingKey: key.did(), handle, pds: 'http://localhost:1', rotationKeys: [key.did()], signer: key })

const post = (did, operation) =>
  fetch(`${base}/${did}`, { method: 'POST', body: JSON.stringify(operation) })

test('a registered did resolves to its document', async () => {
  const { did, op } = await genesis('carol.test')
  assert.equal((await post(did, op)).status, 200)
  const document = await (await fetch(`${base}/${did}`)).json()
  assert.equal(document.id, did)
  assert.deepEqual(document.alsoKnownAs, ['at://carol.test'])
  assert.equal(document.service[0].serviceEndpoint, 'http://localhost:1')
  assert.equal(document.verificationMethod[0].id, `${did}#atproto`)
})

test('an unknown did is 404 and a tombstoned one 410', async () => {
  const { did, op } = await genesis('carol.test')
  assert.equal((await fetch(`${base}/${did}`)).status, 404)
  await post(did, op)
  const { cid } = await plc.getLastOpWithCid([op])
  await post(did, await plc.tombstoneOp(cid, key))
  assert.equal((await fetch(`${base}/${did}`)).status, 410)
})

test('an operation signed by another key is refused', async () => {
  const { did, op } = await genesis('carol.test')
  await post(did, op)
  const stranger = await Secp256k1Keypair.create()
  const stolen = await plc.updateHandleOp(op, stranger, 'stolen.test')
  assert.equal((await post(did, stolen)).status, 400)
  assert.equal((await post(did, { nonsense: true })).status, 400)
})

test('what was acknowledged is there after a restart, a line cut short is not', async () => {
  const { did, op } = await genesis('carol.test')
  await post(did, op)
  const whole = fs.readFileSync(file, 'utf8')
  fs.appendFileSync(file, '{"did":"did:plc:half')
  const again = await new Directory(file).load()
  assert.deepEqual(again.operations(did), JSON.parse(JSON.stringify([op])))
  assert.deepEqual(again.audit(did), directory.audit(did))
  assert.equal(fs.readFileSync(file, 'utf8'), whole)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions } from '../src/options.js'
import { redirected } from '../src/redirects.js'

test('defaults give one network on its usual ports', () => {
  const options = readOptions([])
  assert.equal(options.plcUrl, 'http://localhost:2582')
  assert.equal(options.pdsUrl, 'http://localhost:2583')
  assert.deepEqual(options.handles, ['alice.test', 'bob.test'])
  assert.ok(options.ownsPlc)
})

test('another plc url makes this the second pds', () => {
  const options = readOptions(['--plc-url', 'http://localhost:1', '--domain', '.two.test'])
  assert.equal(options.plcUrl, 'http://localhost:1')
  assert.ok(!options.ownsPlc)
})

test('a proxy port keeps the public address apart from where the pds listens', () => {
  const options = readOptions(['--pds-port', '7001', '--pds-listen-port', '7002'])
  assert.equal(options.pdsUrl, 'http://localhost:7001')
  assert.equal(options.pdsListenPort, 7002)
})

for (const argv of [['--plc-port', 'x'], ['--pds-port', '70000'], ['--map', 'nothing'], ['--unknown']]) {
  test(`refuses ${argv.join(' ')}`, () => assert.throws(() => readOptions(argv)))
}

test('redirects only what lies under the named address', () => {
  const { redirects } = readOptions(['--map', 'https://app.example=http://127.0.0.1:8000/'])
  assert.equal(redirected('https://app.example/jwks.json', redirects), 'http://127.0.0.1:8000/jwks.json')
  assert.equal(redirected('https://app.example.evil/jwks.json', redirects), undefined)
})

import fs from 'node:fs'
import path from 'node:path'
import { ensureAccounts } from './accounts.js'
import { say } from './events.js'
import { readOptions, USAGE } from './options.js'
import { startPds } from './pds.js'
import { Directory } from './plc/directory.js'
import { servePlc } from './plc/server.js'
import { installRedirects } from './redirects.js'

const HOST = '127.0.0.1'

async function main(argv) {
  const options = readOptions(argv)
  if (options.help) return console.log(USAGE)
  fs.mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const plc = options.ownsPlc ? await startPlc(options) : null
  installRedirects(options.redirects)
  const pds = await startPds(options, HOST)
  stopOnSignal(plc, pds)

  const { lexiconAuthority } = options
  const handles = lexiconAuthority ? [...options.handles, lexiconAuthority] : options.handles
  const accounts = await ensureAccounts(pds, handles, {
    baseUrl: `http://${HOST}:${options.pdsListenPort}`,
    password: options.password,
  })
  if (lexiconAuthority) pds.ctx.cfg.lexicon.didAuthority = accounts[lexiconAuthority]
  const { plcUrl, pdsUrl } = options
  say('ready', { plcUrl, pdsUrl, accounts, pid: process.pid, version: pds.ctx.cfg.service.version })
}

async function startPlc({ dir, plcPort }) {
  const directory = await new Directory(path.join(dir, 'plc.jsonl')).load()
  return servePlc(directory, { port: plcPort, host: HOST })
}

function stopOnSignal(plc, pds) {
  let stopping = false
  const stop = async (signal) => {
    if (stopping) return
    stopping = true
    say('stopping', { signal })
    plc?.closeAllConnections()
    plc?.close()
    await pds.destroy()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stop)
}

main(process.argv.slice(2)).catch((error) => {
  say('failed', { message: error.message, code: error.code, port: error.port })
  console.error(error.stack)
  process.exit(1)
})

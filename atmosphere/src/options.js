import path from 'node:path'
import { parseArgs } from 'node:util'

export const USAGE = `usage: node src/main.js --dir DIR [options]

  --dir DIR                 where everything is kept (default ./data)
  --plc-port N              port of the PLC directory (default 2582)
  --pds-port N              port in the PDS's public address (default 2583)
  --pds-listen-port N       port the PDS really listens on, when a proxy stands on --pds-port
  --accounts A,B            handles to create unless they exist (default alice.test,bob.test)
  --password WORD           their password (default atmosphere)
  --domain SUFFIX           what handles of this PDS end in (default .test)
  --blob-limit BYTES        largest blob accepted (default 100 MiB)
  --token-max-age MS        lifetime of OAuth access tokens (default one hour)
  --map FROM=TO             what the PDS would fetch at FROM comes from TO; repeatable
  --lexicons HANDLE         this account is the authority for every lexicon
  --plc-url URL             use the PLC directory of another atmosphere
  --ssrf-protection         keep the PDS's own guard against private addresses
  --rate-limits             keep the PDS's own rate limits
  --help                    this text

one JSON object per line is printed; {"event":"ready", ...} is the last before it serves.
SIGTERM or SIGINT stops it cleanly.`

const SPEC = {
  dir: { type: 'string', default: './data' },
  'plc-port': { type: 'string', default: '2582' },
  'pds-port': { type: 'string', default: '2583' },
  'pds-listen-port': { type: 'string' },
  accounts: { type: 'string', default: 'alice.test,bob.test' },
  password: { type: 'string', default: 'atmosphere' },
  domain: { type: 'string', default: '.test' },
  'blob-limit': { type: 'string', default: String(100 * 1024 * 1024) },
  'token-max-age': { type: 'string' },
  map: { type: 'string', multiple: true, default: [] },
  lexicons: { type: 'string' },
  'plc-url': { type: 'string' },
  'ssrf-protection': { type: 'boolean', default: false },
  'rate-limits': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}

/** Read the command line into one plain object; throws on anything unknown or malformed. */
export function readOptions(argv) {
  const { values } = parseArgs({ args: argv, options: SPEC, allowPositionals: false })
  const plcPort = port(values['plc-port'], '--plc-port')
  const pdsPort = port(values['pds-port'], '--pds-port')
  return {
    help: values.help,
    dir: path.resolve(values.dir),
    plcPort,
    plcUrl: values['plc-url'] ?? `http://localhost:${plcPort}`,
    ownsPlc: values['plc-url'] === undefined,
    pdsPort,
    pdsListenPort: port(values['pds-listen-port'] ?? String(pdsPort), '--pds-listen-port'),
    pdsUrl: `http://localhost:${pdsPort}`,
    handles: values.accounts.split(',').filter(Boolean),
    password: values.password,
    domain: values.domain,
    blobLimit: positive(values['blob-limit'], '--blob-limit'),
    tokenMaxAgeMs: values['token-max-age'] && positive(values['token-max-age'], '--token-max-age'),
    redirects: values.map.map(redirect),
    lexiconAuthority: values.lexicons,
    ssrfProtection: values['ssrf-protection'],
    rateLimits: values['rate-limits'],
  }
}

function positive(text, name) {
  const number = Number(text)
  if (!Number.isInteger(number) || number <= 0) throw new Error(`${name} wants a whole number, got "${text}"`)
  return number
}

function port(text, name) {
  const number = positive(text, name)
  if (number > 65535) throw new Error(`${name}: there is no port ${number}`)
  return number
}

function redirect(text) {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`--map wants FROM=TO, got "${text}"`)
  return { from: text.slice(0, at).replace(/\/$/, ''), to: text.slice(at + 1).replace(/\/$/, '') }
}

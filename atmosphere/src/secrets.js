import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

/**
 * The PDS's own secrets, made once and kept with its data: another set would
 * end every session and orphan every account of the directory it manages.
 */
export function loadSecrets(dir) {
  const file = path.join(dir, 'secrets.json')
  if (!fs.existsSync(file)) write(file, fresh())
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}

function fresh() {
  const hex = (bytes) => randomBytes(bytes).toString('hex')
  return {
    PDS_JWT_SECRET: hex(16),
    PDS_ADMIN_PASSWORD: hex(16),
    PDS_DPOP_SECRET: hex(32),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: hex(32),
  }
}

// rename: a start that is killed half-way must not leave half a file
function write(file, secrets) {
  const draft = `${file}.new`
  fs.writeFileSync(draft, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  fs.renameSync(draft, file)
}

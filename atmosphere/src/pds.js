import fs from 'node:fs'
import path from 'node:path'
import { loadSecrets } from './secrets.js'

/**
 * Start the reference PDS on one address, its data in `options.dir`.
 *
 * It is configured through the environment because that is its only public
 * way in. The import waits until then: it takes most of the start-up time.
 */
export async function startPds(options, host) {
  for (const folder of ['blobs', 'blobs-tmp']) {
    fs.mkdirSync(path.join(options.dir, folder), { recursive: true, mode: 0o700 })
  }
  Object.assign(process.env, environment(options), loadSecrets(options.dir))
  const { PDS, envToCfg, envToSecrets, readEnv } = await import('@atproto/pds')
  const env = readEnv()
  const pds = await PDS.create(envToCfg(env), envToSecrets(env))
  listenOnly(pds.app, options.pdsListenPort, host)
  await pds.start()
  if (options.tokenMaxAgeMs) pds.ctx.oauthProvider.tokenManager.tokenMaxAge = options.tokenMaxAgeMs
  return pds
}

function environment(options) {
  return {
    // "localhost" is the one name with which the PDS speaks http instead of https
    PDS_HOSTNAME: 'localhost',
    PDS_PORT: String(options.pdsPort),
    PDS_DEV_MODE: 'true',
    PDS_DISABLE_SSRF_PROTECTION: String(!options.ssrfProtection),
    PDS_DATA_DIRECTORY: options.dir,
    PDS_BLOBSTORE_DISK_LOCATION: path.join(options.dir, 'blobs'),
    PDS_BLOBSTORE_DISK_TMP_LOCATION: path.join(options.dir, 'blobs-tmp'),
    PDS_BLOB_UPLOAD_LIMIT: String(options.blobLimit),
    PDS_INVITE_REQUIRED: 'false',
    PDS_DID_PLC_URL: options.plcUrl,
    PDS_SERVICE_HANDLE_DOMAINS: options.domain,
    PDS_RATE_LIMITS_ENABLED: String(options.rateLimits),
    LOG_ENABLED: 'true',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    LOG_DESTINATION: process.env.LOG_DESTINATION ?? path.join(options.dir, 'pds.log'),
  }
}

// left to itself the PDS listens on every interface
function listenOnly(app, port, host) {
  const listen = app.listen.bind(app)
  app.listen = () => listen(port, host)
}

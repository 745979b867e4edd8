import fs from 'node:fs'
import plc from '@did-plc/lib'

export class NotAnOperation extends Error {}

/**
 * Every DID's operations, checked by the reference library and kept in one
 * file of JSON lines.
 *
 * An entry is { did, operation, cid, nullified, createdAt }. The file keeps
 * what happened ("nullifies" names the operations a recovery undid); reading
 * it back in order gives the same directory.
 */
export class Directory {
  #file
  #byDid = new Map()
  #all = []
  #turn = Promise.resolve()

  constructor(file) {
    this.#file = file
  }

  /** Read the file back. A last line cut short by a kill was never acknowledged, and is dropped. */
  async load() {
    if (!fs.existsSync(this.#file)) return this
    const lines = fs.readFileSync(this.#file, 'utf8').split('\n')
    const unfinished = lines.pop()
    for (const line of lines) {
      const { nullifies, createdAt, ...rest } = JSON.parse(line)
      const cid = await cidOf(rest.operation)
      this.#apply({ ...rest, cid, nullified: false, createdAt: new Date(createdAt) }, nullifies)
    }
    if (unfinished) fs.truncateSync(this.#file, Buffer.byteLength(lines.join('\n') + (lines.length ? '\n' : '')))
    return this
  }

  /** Add an operation to a DID, one at a time; throws when the rules of the directory refuse it. */
  submit(did, operation) {
    const mine = this.#turn.then(() => this.#submit(did, operation))
    this.#turn = mine.catch(() => {})
    return mine
  }

  /** The operations that count for a DID, oldest first; empty for an unknown one. */
  operations(did) {
    return this.#live(did).map((entry) => entry.operation)
  }

  /** Everything ever accepted for a DID, with what was undone. */
  audit(did) {
    return (this.#byDid.get(did) ?? []).map(shown)
  }

  /** Entries of all DIDs made after an instant, oldest first. */
  export({ after = '', count = 1000 } = {}) {
    return this.#all
      .map(shown)
      .filter((entry) => entry.createdAt > after)
      .slice(0, count)
  }

  /** A DID's current data, or null once it is tombstoned. */
  data(did) {
    return plc.validateOperationLog(did, this.operations(did))
  }

  async #submit(did, operation) {
    if (!plc.def.opOrTombstone.safeParse(operation).success) throw new NotAnOperation('not a valid operation')
    const { nullified } = await plc.assureValidNextOp(did, this.#live(did), operation)
    const nullifies = nullified.map(String)
    const entry = { did, operation, cid: await cidOf(operation), nullified: false, createdAt: new Date() }
    const { nullified: _, cid, ...kept } = shown(entry)
    fs.appendFileSync(this.#file, JSON.stringify({ ...kept, cid, nullifies }) + '\n')
    this.#apply(entry, nullifies)
  }

  #live(did) {
    return (this.#byDid.get(did) ?? []).filter((entry) => !entry.nullified)
  }

  #apply(entry, nullifies) {
    const entries = this.#byDid.get(entry.did) ?? []
    for (const earlier of entries) {
      if (nullifies.includes(earlier.cid.toString())) earlier.nullified = true
    }
    this.#byDid.set(entry.did, [...entries, entry])
    this.#all.push(entry)
  }
}

async function cidOf(operation) {
  return (await plc.getLastOpWithCid([operation])).cid
}

function shown(entry) {
  return { ...entry, cid: entry.cid.toString(), createdAt: entry.createdAt.toISOString() }
}

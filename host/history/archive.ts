/**
 * What the bytes of a record mean: the modules, schemas and people that the records before it name. They are
 * noted while the records are read; where the log has forgotten its beginning, a copy of the newest snapshot
 * knows the rest.
 */
import { HostError } from '../errors.ts'
import { identityFromBytes } from '../identity.ts'
import type { Identity, Login } from '../identity.ts'
import type { LoggedRecord } from '../log/record.ts'
import type { Layouts } from '../row-codec.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription } from '../schema/description.ts'
import { layoutsOf } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { DatabaseFile } from '../storage/database-file.ts'
import { firstLogin } from '../storage/directory.ts'
import { moduleOfVersion, reviveSchema, schemaOfVersion } from '../storage/module-store.ts'
import { PayloadReader } from '../storage/record-payload.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { TemporaryFolder } from './temporary-folder.ts'

export interface PublishedModule {
  readonly description: ModuleDescription
  readonly layouts: Layouts
  readonly hash: string
}

export class Archive implements Disposable {
  readonly #modules = new Map<number, PublishedModule>()
  readonly #schemas = new Map<number, Schema>()
  readonly #logins = new Map<Identity, Login>()
  #folder: TemporaryFolder | undefined
  #snapshot: DatabaseFile | undefined

  static async of(history: DatabaseHistory): Promise<Archive> {
    const archive = new Archive()
    if (history.range?.first !== 1n) await archive.#openSnapshot(history)
    return archive
  }

  async #openSnapshot({ snapshots }: DatabaseHistory): Promise<void> {
    this.#folder = new TemporaryFolder()
    const path = this.#folder.at('snapshot.sqlite')
    if ((await snapshots.restore(path)) === undefined) return
    this.#snapshot = new DatabaseFile({ path, create: false, isDurable: false })
  }

  /** To be told of each record, in order. */
  note({ head, sections, isErased }: LoggedRecord): void {
    if (isErased) return
    if (head.kind === 'publish') this.#notePublish(new PayloadReader(sections))
    if (head.kind !== 'identity') return
    const { kind, login, after } = new PayloadReader(sections).directory
    if (kind === 'mint') this.#logins.set(identityFromBytes(after), login)
  }

  #notePublish(payload: PayloadReader): void {
    const { version, hash, description } = payload.module
    const { schema } = payload.schema
    this.#modules.set(version, published(hash, description))
    this.#schemas.set(schema.version, reviveSchema(schema))
  }

  /** @throws HostError ERR_MODULE_MISSING */
  module(version: number): PublishedModule {
    const noted = this.#modules.get(version)
    if (noted !== undefined) return noted
    const stored = this.#snapshot && moduleOfVersion(this.#snapshot, version)
    if (stored === undefined) throw missing(`version ${version} of the module`)
    const module = published(stored.hash, stored.description)
    this.#modules.set(version, module)
    return module
  }

  /** @throws HostError ERR_MODULE_MISSING */
  schema(version: number): Schema {
    const schema = this.#schemas.get(version) ?? (this.#snapshot && schemaOfVersion(this.#snapshot, version))
    if (schema === undefined) throw missing(`version ${version} of the schema`)
    this.#schemas.set(version, schema)
    return schema
  }

  /** Whom an identity was minted for, where that is known. */
  login(identity: Uint8Array): Login | undefined {
    return this.#logins.get(identityFromBytes(identity)) ?? (this.#snapshot && firstLogin(this.#snapshot, identity))
  }

  [Symbol.dispose](): void {
    this.#snapshot?.close()
    this.#folder?.[Symbol.dispose]()
  }
}

function published(hash: string, bytes: Uint8Array): PublishedModule {
  const description = parseDescription(bytes)
  return { description, layouts: layoutsOf(description), hash }
}

function missing(what: string): HostError {
  return new HostError('ERR_MODULE_MISSING', `${what} is neither in the log nor in a snapshot that is intact: remembrancer check says what is wrong`)
}

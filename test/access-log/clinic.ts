/** The clinic module in a host of this process, on a folder whose access log the test reads. */
import { fileURLToPath } from 'node:url'

import type { ReadAccess } from '../../host/access-log/access-record.ts'
import { openHost } from '../../host/index.ts'
import type { LocalDatabase, LocalHost } from '../../host/index.ts'
import { buildModule } from '../../host/module/build.ts'
import { DataFolder } from '../storage/folder.ts'
import { accessRecords } from './records.ts'

let built: Promise<Uint8Array> | undefined

/** The component, compiled once a process. */
export function clinicComponent(): Promise<Uint8Array> {
  return (built ??= buildModule(fileURLToPath(new URL('../modules/clinic', import.meta.url)), { optimize: false }).then(({ component }) => component))
}

export class Clinic implements AsyncDisposable {
  readonly folder: DataFolder
  host: LocalHost
  database: LocalDatabase

  private constructor(folder: DataFolder, host: LocalHost, database: LocalDatabase) {
    this.folder = folder
    this.host = host
    this.database = database
  }

  static async open(): Promise<Clinic> {
    const folder = new DataFolder()
    const host = await openHost({ data: folder.path })
    const database = await host.database('clinic', { create: true })
    await database.publish(await clinicComponent())
    return new Clinic(folder, host, database)
  }

  /** What the log has by now. */
  records(): Promise<readonly ReadAccess[]> {
    return accessRecords(this.folder.path)
  }

  async last(): Promise<ReadAccess> {
    const found = (await this.records()).at(-1)
    if (found === undefined) throw new Error('the access log is empty')
    return found
  }

  async reopen(): Promise<void> {
    await this.host.close()
    this.host = await openHost({ data: this.folder.path })
    this.database = await this.host.database('clinic')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close()
    this.folder[Symbol.dispose]()
  }
}

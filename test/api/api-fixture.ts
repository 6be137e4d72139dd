/**
 * The API on a free port of 127.0.0.1, over a real catalogue and a stand-in shard, with one tenant
 * beside the default one and a module that echoes every type.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createApi } from '../../host/api/http/server.ts'
import type { Api } from '../../host/api/http/server.ts'
import { LogBook } from '../../host/api/log-book.ts'
import type { Gate } from '../../host/api/ports.ts'
import type { Role } from '../../host/auth/principal.ts'
import { HostCatalogue } from '../../host/catalogue.ts'
import { SetClock } from '../auth/auth-fixture.ts'
import { echoModule } from './echo-module.ts'
import { HttpClient } from './http-client.ts'
import { StandInShard } from './stand-in-shard.ts'

export class ApiFixture extends HttpClient implements AsyncDisposable {
  readonly clock = new SetClock()
  readonly shard = new StandInShard(this.clock)
  readonly logs = new LogBook()
  readonly failures: { readonly message: string; readonly fields: Readonly<Record<string, string>> }[] = []
  readonly gate: Gate = {
    check: async (component) => ({ core: component, description: Buffer.from(JSON.stringify(echoModule)), componentHash: 'hash', timings: { parse: 2 } }),
  }
  readonly #folder = mkdtempSync(join(tmpdir(), 'remembrancer-api-'))
  readonly catalogue = new HostCatalogue(this.#folder, this.clock, () => this.shard)
  readonly api: Api

  constructor({ allowAnonymous = false }: { allowAnonymous?: boolean } = {}) {
    super()
    const logger = { error: (message: string, fields: Readonly<Record<string, string>>) => void this.failures.push({ message, fields }) }
    const { catalogue, clock, gate, logs, shard } = this
    this.api = createApi({ version: '1.2.3', catalogue, shardOf: () => shard, gate, logs, clock, logger, allowAnonymous })
  }

  /** With the databases `claims` of the default tenant and `other` of the tenant acme, both with a running module. */
  static async start(options: { allowAnonymous?: boolean } = {}): Promise<ApiFixture> {
    const fixture = new ApiFixture(options)
    fixture.catalogue.createTenant('acme')
    await fixture.addDatabase('claims', 'default')
    await fixture.addDatabase('other', 'acme')
    fixture.port = (await fixture.api.listen(0, '127.0.0.1')).port
    return fixture
  }

  async addDatabase(name: string, tenant: string): Promise<void> {
    await this.catalogue.createDatabase(name, tenant)
    this.shard.run(name, echoModule)
  }

  operator(): Promise<string> {
    return this.catalogue.mintHostToken({ subject: 'op', tenant: undefined, roles: ['operator'], ttlSeconds: 3_600 })
  }

  role(role: Role, tenant = 'default'): Promise<string> {
    return this.catalogue.mintHostToken({ subject: `${role}-of-${tenant}`, tenant, roles: [role], ttlSeconds: 3_600 })
  }

  async person(subject: string, options: { database?: string; rights?: string[]; claims?: Record<string, string> } = {}): Promise<string> {
    const { database = 'claims', rights = [], claims = {} } = options
    const { head } = await this.shard.send(database, 'token', { subject, ttlSeconds: 3_600, claims, rights })
    return head.token
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close()
    this.catalogue.close()
    rmSync(this.#folder, { recursive: true })
  }
}

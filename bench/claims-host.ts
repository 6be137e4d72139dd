/** The claims module in a temporary in-process host, and as many rows of other callers as a benchmark wants. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openHost } from '../host/index.ts'
import type { InstanceMode, LocalDatabase, LocalHost, Sender } from '../host/index.ts'
import { buildModule } from '../host/module/build.ts'

export interface ClaimsHost extends AsyncDisposable {
  readonly host: LocalHost
  readonly claims: LocalDatabase
  /** The database's own SQLite file. */
  readonly file: string
}

export async function claimsHost(instances: InstanceMode = 'fresh'): Promise<ClaimsHost> {
  const data = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const host = await openHost({ data, instances })
  const claims = await host.database('claims', { create: true })
  const { component } = await buildModule('modules/claims', { optimize: true })
  await claims.publish(component)
  return {
    host,
    claims,
    file: join(data, 'databases', 'claims', 'state.sqlite'),
    async [Symbol.asyncDispose]() {
      await host.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** Gives each of so many callers so many turns, through the module's own reducer. */
export async function fillTurns(claims: LocalDatabase, callers: number, turnsEach: number): Promise<Sender[]> {
  const senders: Sender[] = []
  for (let index = 0; index < callers; index++) senders.push(await claims.as({ subject: `caller ${index}` }))
  for (let start = 0; start < callers; start += 100) {
    await Promise.all(senders.slice(start, start + 100).map((sender) => sender.call('remember_conversation', { contents: conversation(turnsEach) })))
  }
  return senders
}

function conversation(turns: number): string[] {
  return Array.from({ length: turns }, (_unused, index) => `turn ${index}: the water came up through the floor of the basement over night`)
}

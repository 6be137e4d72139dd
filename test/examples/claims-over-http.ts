/** The claims module in a serving host on a free loopback port, with an empty folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startHost } from '../../host/host.ts'
import { buildModule } from '../../host/module/build.ts'

export interface ClaimsOverHttp {
  readonly url: string
  token(subject: string): Promise<string>
  close(): Promise<void>
}

export async function claimsOverHttp(): Promise<ClaimsOverHttp> {
  const data = mkdtempSync(join(tmpdir(), 'remembrancer-test-'))
  const host = await startHost({ data, port: 0 })
  const send = async (method: string, path: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Record<string, string>> => {
    const response = await fetch(`${host.url}/v1/${path}`, { method, headers: { authorization: `Bearer ${host.operatorToken}`, 'content-type': type }, body })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, string>
  }
  const { component } = await buildModule('modules/claims', { optimize: false })
  await send('POST', 'databases', JSON.stringify({ name: 'claims' }), 'application/json')
  await send('PUT', 'databases/claims/module', new Uint8Array(component), 'application/wasm')
  return {
    url: host.url,
    async token(subject) {
      const { token = '' } = await send('POST', 'databases/claims/tokens', JSON.stringify({ subject, ttlSeconds: 60 }), 'application/json')
      return token
    },
    async close() {
      await host.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

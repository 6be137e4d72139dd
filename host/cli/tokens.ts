/** POST /v1/databases/:db/tokens. */
import { z } from 'zod'

import type { TokenRequest } from '../protocol/shard-protocol.ts'
import { pathOf } from './host-client.ts'
import type { HostClient } from './host-client.ts'

const tokenAnswer = z.object({ token: z.string() })

export async function mintToken(client: HostClient, database: string, request: TokenRequest): Promise<string> {
  const { token } = await client.post(pathOf`/v1/databases/${database}/tokens`, request, tokenAnswer)
  return token
}

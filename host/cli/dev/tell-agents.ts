/**
 * Where one talks to the agents of the module, once it is published. The address carries a token that may
 * speak for anybody, so that the page can choose who calls: it is for whoever runs `dev` on their own machine.
 */
import { z } from 'zod'

import type { HostClient } from '../host-client.ts'
import { pathOf } from '../host-client.ts'
import { pageTokenSeconds } from '../limits.ts'
import type { Terminal } from '../terminal.ts'
import { mintToken } from '../tokens.ts'

const agentsAnswer = z.object({ agents: z.array(z.object({ agent: z.string(), note: z.string().nullable() })) })

export async function tellAgents(terminal: Terminal, client: HostClient, database: string): Promise<void> {
  const { agents } = await client.get(pathOf`/v1/databases/${database}/agents`, agentsAnswer)
  if (agents.length === 0) return
  const token = await mintToken(client, database, { subject: 'page', ttlSeconds: pageTokenSeconds, claims: {}, rights: ['act-for'] })
  for (const { agent, note } of agents) {
    const fragment = new URLSearchParams({ database, agent, token })
    const url = `${client.url}/talk/talk.html#${fragment.toString()}`
    terminal.note(`talk to ${agent}: ${url}`, 'cyan')
    if (note !== null) terminal.note(note, 'dim')
    if (terminal.isJson) terminal.result({ kind: 'agent', agent, url, note }, [])
  }
}

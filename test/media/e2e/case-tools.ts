/** What cases of voice end to end share: a host with a scripted provider, and what a caller does. */
import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'

import type { RoomCaller } from '../room-caller.ts'
import { ScriptedProvider, tone } from '../scripted-provider.ts'
import { VoiceHost } from '../voice-host.ts'

/** A voice for callers whose words a scripted provider chooses. */
export const voice = new Int16Array(new Uint8Array(tone(900)).buffer)

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

/** A host with a scripted provider; both are closed after. */
export async function withScript<T>(work: (host: VoiceHost, provider: ScriptedProvider) => Promise<T>): Promise<T> {
  await using provider = await ScriptedProvider.start()
  const host = await VoiceHost.start({ providerUrl: provider.url })
  try {
    return await work(host, provider)
  } finally {
    await host.close()
  }
}

/** Speaks, and waits until the turn is answered. */
export async function turnOf(caller: RoomCaller, turn: number): Promise<Awaited<ReturnType<RoomCaller['answer']>>> {
  await caller.listening()
  await caller.play(voice)
  return caller.answer(turn)
}

export async function hangUp(caller: RoomCaller): Promise<void> {
  const ended = caller.until((message) => message.type === 'ended')
  await caller.tell({ type: 'hang_up' })
  await ended
  await caller.leave()
}

/** Tries again while it does not hold: for what a host does a moment later. */
export async function eventually(check: () => Promise<void>, timeMs = 10_000): Promise<void> {
  for (const end = performance.now() + timeMs; ;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await pause(100)
    }
  }
}

export async function states(host: VoiceHost, subject: string): Promise<readonly unknown[]> {
  return (await host.sql(subject, 'select state from sessions order by started_at')).flat()
}

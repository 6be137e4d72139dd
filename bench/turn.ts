/**
 * Memory's part of a turn, with 1 M rows of 10,000 callers: what a session does before an answer (the prompt query) and
 * beside it (the record of what was said), through the shard's door as a session does it; and beside that the whole
 * time from the caller's last sound to the first sound of the answer, with a provider that takes no time.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildModule } from '../host/module/build.ts'
import { openHost } from '../host/open-host.ts'
import { startHost } from '../host/host.ts'
import type { RunningHost } from '../host/host.ts'
import { ScriptedProvider, tone } from '../test/media/scripted-provider.ts'
import { SocketCaller } from '../test/media/socket-caller.ts'
import { report } from './measure.ts'
import type { Report } from './measure.ts'

const callers = 10_000
const turnsEach = 100
const turns = 400
const spokenTurns = 8

/** The claims line, and a reducer that fills it. */
const filler = `
@reducer
export function fill(ctx: Context, people: Appender<Person>, claims: Appender<Claim>, turns: Appender<Turn>, name: string, count: u32): void {
  people.insert(new Person(name, ctx.timestamp));
  claims.insert(new Claim("water damage", "the water in your basement", "open", ctx.timestamp));
  const rows = new Array<Turn>();
  for (let i: u32 = 0; i < count; i++) rows.push(new Turn("before", i, i % 2 == 0 ? "caller" : "agent", "There is water in the basement, and it is rising.", null, ctx.timestamp));
  turns.insertAll(rows);
}
`

export async function benchTurn(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-turn-'))
  await using provider = await ScriptedProvider.start()
  // Sounds are played in real time.
  provider.toneMs = () => 20
  try {
    await fillData(folder)
    const service = { url: `${provider.url}/v1`, model: 'scripted' }
    const profile = { transcription: service, chat: service, speech: { ...service, voice: 'v' } }
    const host = await startHost({ data: join(folder, 'data'), port: 0, shards: 1, voice: { profiles: { default: profile }, databases: {} } })
    try {
      return await measureTurns(host, provider)
    } finally {
      await host.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fillData(folder: string): Promise<void> {
  const source = join(folder, 'claims-line')
  mkdirSync(source)
  const claimsLine = readFileSync(fileURLToPath(new URL('../modules/claims-line/index.ts', import.meta.url)), 'utf8')
  writeFileSync(join(source, 'index.ts'), claimsLine + filler)
  const { component } = await buildModule(source, { optimize: true })
  const host = await openHost({ data: join(folder, 'data') })
  try {
    const database = await host.database('claims-line', { create: true })
    await database.publish(component)
    for (let start = 0; start < callers; start += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_unused, index) =>
          (await database.as({ subject: `caller-${start + index}` })).call('fill', [`Caller ${start + index}`, turnsEach]),
        ),
      )
    }
  } finally {
    await host.close()
  }
}

/** By text, so that nothing is timed but the turn; then by voice, in real time. */
async function measureTurns(host: RunningHost, provider: ScriptedProvider): Promise<Report> {
  const times = { recall: [] as number[], commit: [] as number[], memory: [] as number[], connect: [] as number[] }
  for (let turn = 0; turn < turns; turn++) {
    const begin = performance.now()
    const caller = await joinAs(host, (turn * 7_919) % callers)
    await caller.until(({ type }) => type === 'recall')
    times.connect.push(performance.now() - begin)
    await caller.answer(0)
    caller.say('It is rising.')
    const measured = (await caller.until((message) => message.type === 'times' && message.turn === 1)) as { readonly times?: { readonly memory: number } }
    const recalled = (await caller.until((message) => message.type === 'recall' && message.turn === 1)) as { readonly ms?: number }
    const memory = measured.times?.memory ?? 0
    times.memory.push(memory)
    times.recall.push(recalled.ms ?? 0)
    times.commit.push(memory - (recalled.ms ?? 0))
    caller.send({ type: 'hang_up' })
    await caller.until(({ type }) => type === 'ended')
    await caller.close()
  }
  const whole = await voiceToVoice(host, provider)
  const figures = Object.entries(times).flatMap(([name, values]) => [[`${name} p50`, at(values, 0.5)] as const, [`${name} p99`, at(values, 0.99)] as const])
  const micros = Object.fromEntries(figures.map(([name, ms]) => [name, Math.round(ms * 1_000)]))
  const voiceMicros = Math.round(at(whole, 0.5) * 1_000)
  return report(
    'turn',
    { rows: callers * turnsEach, ...micros, 'voice to voice p50, 500 ms of it to know that the caller has finished': voiceMicros },
    { 'memory / voice to voice': Math.round((at(times.memory, 0.5) / at(whole, 0.5)) * 10_000) / 10_000 },
  )
}

/** Milliseconds from the last sound of the caller to the first of the answer, as it is sent. */
async function voiceToVoice(host: RunningHost, provider: ScriptedProvider): Promise<number[]> {
  provider.heard = ['it is rising']
  provider.toneMs = () => 200
  const caller = await joinAs(host, 17)
  await caller.answer(0)
  const whole: number[] = []
  for (let turn = 1; turn <= spokenTurns; turn++) {
    await caller.speak(new Int16Array(new Uint8Array(tone(700)).buffer))
    await caller.answer(turn)
    const measured = (await caller.until((message) => message.type === 'times' && message.turn === turn)) as {
      readonly times?: { readonly firstAudio?: number }
    }
    whole.push(measured.times?.firstAudio ?? 0)
  }
  await caller.close()
  return whole
}

async function joinAs(host: RunningHost, index: number): Promise<SocketCaller> {
  const place = await host.sessions.open({
    database: 'claims-line',
    agent: 'claims',
    transport: 'websocket',
    caller: { sender: { issuer: await issuerOf(host), subject: `caller-${index}` }, assurance: 'claimed', channel: 'bench', claims: {} },
  })
  return SocketCaller.join(host.url, place)
}

let issuer: string | undefined

async function issuerOf(host: RunningHost): Promise<string> {
  issuer ??= ((await (await fetch(`${host.url}/v1/databases/claims-line/keys`)).json()) as { issuer: string }).issuer
  return issuer
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

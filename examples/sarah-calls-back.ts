/**
 * `npm run demo`: Sarah calls about the water in her basement, the host is killed, Sarah calls back.
 * Everything it prints comes from the running system, and it exits non-zero when anything differs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Checkpoint } from '../host/access-log/checkpoint.ts'
import { verifyFolders } from '../host/access-log/verify-folder.ts'
import { whoOf } from '../host/cli/audit/report-answer.ts'
import type { AuditReport } from '../host/cli/audit/report-answer.ts'
import { grantText } from '../host/cli/grant-text.ts'
import { systemClock } from '../host/clock.ts'
import { openHost } from '../host/index.ts'
import { buildModule } from '../host/module/build.ts'
import type { PublishReport } from '../host/protocol/shard-protocol.ts'
import { accessFolder, accessFolders } from '../host/storage/data-folder.ts'
import { bob, sarah } from './conversations.ts'
import type { Story } from './conversations.ts'
import { ask, DemoHost, request } from './demo-host.ts'

const database = 'claims'
const otherCallers = 1_000
const turnsOfOthers = 100
const timedRecalls = 5_000
const recalled = 20

const data = mkdtempSync(join(tmpdir(), 'remembrancer-demo-'))
let host: DemoHost | undefined
try {
  await demo()
} catch (error) {
  say('failed', error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  await host?.stop()
  rmSync(data, { recursive: true, force: true })
}

async function demo(): Promise<void> {
  const startMs = performance.now()
  host = await DemoHost.start(data)
  say('host', `${host.url} on an empty folder, up in ${since(startMs)}`)
  await publishClaims(host)

  const agent = await mint(host, 'claims-agent', ['act-for'])
  await firstCall(host, sarah, agent)
  await firstCall(host, bob, agent)

  host = await killAndRestart(host)
  await callBack(host)
  await tryAsBob(host)
  const checkpoint = await askWhoTouchedHerRows(host)
  await host.stop()
  await verifyAccessLog(checkpoint)
  await timeRecall()
  say('done', `in ${since(startMs)}; everything was checked`)
}

async function publishClaims(at: DemoHost): Promise<void> {
  const built = await buildModule(join(import.meta.dirname, '..', 'modules', 'claims'), { optimize: true })
  await ask(at, 'POST', 'databases', at.operatorToken, { name: database })
  const startMs = performance.now()
  const published = (await ask(at, 'PUT', `databases/${database}/module`, at.operatorToken, built.component)) as PublishReport
  say(
    'published',
    `${published.module} v${published.version}, ${(built.sizeBytes / 1_000).toFixed(1)} kB of Wasm from AssemblyScript in ${seconds(built.timings.totalMs)}, live in ${since(startMs)}`,
  )
  for (const grant of published.grants) say('', grantText([grant]))
}

async function mint(at: DemoHost, subject: string, rights: readonly string[] = []): Promise<string> {
  const { token } = (await ask(at, 'POST', `databases/${database}/tokens`, at.operatorToken, { subject, ttlSeconds: 600, rights })) as { token: string }
  return token
}

/** The caller speaks with a token of their own; the agent acts for them with its own. */
async function firstCall(at: DemoHost, story: Story, agent: string): Promise<void> {
  const token = await mint(at, story.subject)
  const call = (reducer: string, args: unknown): Promise<unknown> => ask(at, 'POST', `databases/${database}/call/${reducer}`, token, { args })
  await call('introduce', { name: story.name })
  await call('open_claim', { kind: story.kind, summary: story.summary })
  for (const [index, content] of story.turns.entries()) {
    if (index % 2 === 0) await call('remember_turn', { content })
    else await ask(at, 'POST', `databases/${database}/call/remember_turn`, agent, { args: { content }, sender: { subject: story.subject } })
  }
  say(`${story.name}, first call`, `${story.turns.length} turns kept, one claim: ${story.kind}, “${story.summary}”`)
}

async function killAndRestart(at: DemoHost): Promise<DemoHost> {
  const startMs = performance.now()
  await at.kill()
  const again = await DemoHost.start(data)
  let missing = 0
  for (const story of [sarah, bob]) missing += story.turns.length - (await recall(again, await mint(again, story.subject))).turns.length
  say('host killed (SIGKILL)', `answers again after ${since(startMs)}, ${missing} of ${sarah.turns.length + bob.turns.length} turns lost`)
  expect(missing, 0, 'lost turns')
  return again
}

interface Recollection {
  readonly name: string
  readonly claim: { readonly summary: string; readonly kind: string } | null
  readonly turns: readonly { readonly role: string; readonly content: string }[]
}

async function recall(at: DemoHost, token: string, limit = 1_000): Promise<Recollection> {
  return (await query(at, token, 'recall', { limit })) as Recollection
}

async function query(at: DemoHost, token: string, name: string, args: unknown): Promise<unknown> {
  const { result } = (await ask(at, 'POST', `databases/${database}/query/${name}`, token, { args })) as { result: unknown }
  return result
}

async function callBack(at: DemoHost): Promise<void> {
  const token = await mint(at, sarah.subject)
  const greeting = await query(at, token, 'greeting', {})
  const { name, claim, turns } = await recall(at, token, recalled)
  const said = sarah.turns.map((content, index) => ({ role: index % 2 === 0 ? 'caller' : 'agent', content }))
  expect(greeting, 'Welcome back, Sarah. Is this about the water in your basement?', 'greeting')
  expect([name, claim?.kind, claim?.summary], [sarah.name, sarah.kind, sarah.summary], 'claim')
  expect(
    turns.map(({ role, content }) => ({ role, content })),
    said.slice(-recalled),
    'turns',
  )
  say('Sarah calls back', `“${greeting as string}”`)
  say('', `her last ${turns.length} turns in order, the last one: ${turns.at(-1)?.role}, “${turns.at(-1)?.content}”`)
}

/** Bob asks for Sarah's rows in every way the API has. Nothing that comes back may hold a word of hers. */
async function tryAsBob(at: DemoHost): Promise<void> {
  const token = await mint(at, bob.subject)
  const hers = (await ask(at, 'GET', `databases/${database}/identities/me`, await mint(at, sarah.subject))) as { identity: string }
  const [head = '', body = '', signature = ''] = token.split('.')
  const forged = [
    head,
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: sarah.subject })).toString('base64url'),
    signature,
  ].join('.')
  const post = (path: string, json: unknown, as = token) => request(at, 'POST', `databases/${database}/${path}`, as, json)
  const get = (path: string) => request(at, 'GET', `databases/${database}/${path}`, token)
  const sender = { subject: sarah.subject }
  const answers = await Promise.all([
    post('query/recall', { args: { limit: 4_294_967_295 } }),
    post('query/last_turns', { args: [4_294_967_295] }),
    post('query/greeting', {}),
    post('query/recall', { args: { limit: 20, caller: hers.identity } }),
    post('query/recall', { args: { limit: 20 }, sender }),
    post('query/last_turns', { args: { limit: 20 }, sender: { subject: hers.identity } }),
    post('call/remember_turn', { args: { content: 'your claim is approved' }, sender }),
    post('query/recall', { args: { limit: 20 } }, forged),
    post('access/report', { subject: { text: sarah.subject } }),
    post('sql', { sql: 'SELECT * FROM access_log WHERE subject = $1', params: [hers.identity] }),
    post('identities/link', { login: { subject: bob.subject }, to: sender }),
    post('identities/link', { token: forged }),
    post('identities/unlink', { login: sender }),
    post('tokens', { subject: sarah.subject, ttlSeconds: 60 }),
    get('identities'),
    get('identities/me'),
    get('logs'),
    get('schema'),
    get('keys'),
  ])
  const secrets = [sarah.summary, hers.identity, ...sarah.turns.filter((turn) => !bob.turns.includes(turn))]
  const leaks = answers.filter(({ text }) => secrets.some((secret) => text.includes(secret)))
  expect(
    leaks.map(({ text }) => text),
    [],
    'leaks',
  )
  expect((await recall(at, await mint(at, sarah.subject))).turns.length, sarah.turns.length, 'turns of Sarah afterwards')
  say(
    'the other caller',
    `0 of Sarah's rows, ${answers.length} ways tried (${answers.filter(({ status }) => status >= 400).length} refused, the others show his own)`,
  )
}

/** What an auditor asks for: everything that touched Sarah's rows, by whom and in whose name. */
async function askWhoTouchedHerRows(at: DemoHost): Promise<Checkpoint> {
  const report = (await ask(at, 'POST', `databases/${database}/access/report`, at.operatorToken, {
    subject: { text: sarah.subject },
    purpose: 'the demo',
  })) as AuditReport
  const touched = report.rows.filter(({ mode }) => mode !== '')
  const byWhom = new Map<string, number>()
  for (const row of touched) byWhom.set(whoOf(report, row), (byWhom.get(whoOf(report, row)) ?? 0) + 1)
  expect([...byWhom.keys()].toSorted(), [sarah.subject, `claims-agent for ${sarah.subject}`].toSorted(), 'who touched her rows')
  say('who touched her rows', `one query: ${[...byWhom].map(([who, times]) => `${who} ${times} times`).join(', ')}; nobody else`)
  return (await ask(at, 'POST', `databases/${database}/access/checkpoint`, at.operatorToken, {})) as Checkpoint
}

async function verifyAccessLog(checkpoint: Checkpoint): Promise<void> {
  const folders = accessFolders(data).map((lane) => accessFolder(data, lane))
  const { databases, problems } = await verifyFolders(folders, {
    now: systemClock.now(),
    checkpoints: [checkpoint],
    isDropped: (uid) => uid !== checkpoint.database,
  })
  expect(problems, [], 'what is wrong with the access log')
  const records = databases.find(({ database: uid }) => uid === checkpoint.database)?.records ?? 0
  say('', `the log holds: ${records} records in one chain through the kill, and the signed checkpoint is met`)
}

/** The same folder in this process: no network, no thread between. */
async function timeRecall(): Promise<void> {
  await using local = await openHost({ data })
  const claims = await local.database(database)
  const fillMs = performance.now()
  for (let start = 0; start < otherCallers; start += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async (_unused, index) => {
        const other = await claims.as({ subject: `caller ${start + index}` })
        await other.call('remember_conversation', {
          contents: Array.from({ length: turnsOfOthers }, (_none, turn) => `turn ${turn}: there is water everywhere`),
        })
      }),
    )
  }
  say(
    'opened in process',
    `${(otherCallers * turnsOfOthers).toLocaleString('en')} turns of ${otherCallers.toLocaleString('en')} other callers added in ${since(fillMs)}`,
  )

  const caller = await claims.as({ subject: sarah.subject })
  const expected = sarah.turns.slice(-recalled)
  const read = () => caller.rows('turns', { latest: recalled })
  const query = () => caller.query('last_turns', { limit: recalled }) as { content: string }[]
  expect(
    read().map((row) => row['content']),
    expected,
    'rows',
  )
  expect(
    query().map((row) => row.content),
    expected,
    'rows by query',
  )
  say('recall', `her last ${recalled} of ${(otherCallers * turnsOfOthers + sarah.turns.length + bob.turns.length).toLocaleString('en')} rows: ${timed(read)}`)
  say('', `the same through the module's own query, a fresh Wasm instance each: ${timed(query)}`)
}

function timed(read: () => unknown): string {
  const times: number[] = []
  for (let run = 0; run < timedRecalls; run++) {
    const start = performance.now()
    read()
    times.push((performance.now() - start) * 1_000)
  }
  times.sort((left, right) => left - right)
  const at = (share: number): string => `${Math.round(times[Math.floor(times.length * share)] ?? Number.NaN)} µs`
  return `p50 ${at(0.5)}, p99 ${at(0.99)}`
}

function expect(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new Error(`${what}: expected ${should}, got ${is}`)
}

function say(label: string, text: string): void {
  const [bold, plain] = process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? ['\u001B[1m', '\u001B[0m'] : ['', '']
  process.stdout.write(`  ${bold}${label.padEnd(22)}${plain} ${text}\n`)
}

function since(startMs: number): string {
  return seconds(performance.now() - startMs)
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** What an operator does with a data folder at a prompt: calls, replay, check. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { EXIT_CODES } from '../../host/cli/exit-code.ts'
import { spoilText } from '../history/damage.ts'
import { contentOf, forgeSnapshot, HistoryFixture } from '../history/history-fixture.ts'
import { CommandFixture, repository } from './command-fixture.ts'
import type { Outcome } from './command-fixture.ts'
import { errorOf } from './served-fixture.ts'

const shell = new CommandFixture()
const temporary = join(shell.folder, 'tmp')
let fixture: HistoryFixture
before(async () => {
  mkdirSync(temporary)
  fixture = await HistoryFixture.make()
})
after(() => {
  shell[Symbol.dispose]()
  fixture[Symbol.dispose]()
})

function run(command: string, { folder = fixture, database = 'ledger' } = {}): Promise<Outcome> {
  const target = database === '' ? ['--data', folder.path] : ['--data', folder.path, '--database', database]
  return shell.run([...command.split(' '), ...target], { environment: { TMPDIR: temporary } })
}

/** The longest line that a person sees; identities alone are 64 characters. */
function width(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length))
}

test('calls lists the last calls in a table of 80 columns, the newest last', async () => {
  const { code, stdout, stderr } = await run('calls --last 3')
  assert.equal(code, EXIT_CODES.ok)
  assert.equal(
    stdout,
    [
      'position  at                   reducer         sender         rows  id',
      '22        2027-01-16 08:00:00  remember_twice  sarah by desk  2',
      '23        2027-01-16 08:00:00  remember        sarah by desk  1     7',
      '24        2027-01-16 08:00:00  rename          sarah          1',
      '',
    ].join('\n'),
  )
  assert.equal(stderr, 'the last 3: --last shows more of them\n')
})

test('calls show tells everything of one call, found by its position or its id', async () => {
  const byPosition = await run('calls show 14')
  assert.equal(byPosition.code, EXIT_CODES.ok)
  assert.match(
    byPosition.stdout,
    /^call 14 of ledger {2}2027-01-15T08:00:00\.000000Z\n {2}reducer {4}change of ledger v1\n {2}sender {5}sarah of \S+\n {13}[0-9a-f]{64}\n {2}assurance {2}signed\n {2}channel {4}process\n {2}claims {5}role {2}"customer"\n {2}arguments {2}id {7}"1"\n {13}content {2}"the first, changed"\n {2}result {5}true\n/,
  )
  assert.match(
    byPosition.stdout,
    /\n {2}rows {7}update notes\n {15}id {7}"1"\n {15}caller {3}"[0-9a-f]{64}"\n {15}content {2}"the first" → "the first, changed"\n/,
  )
  assert.ok(width(byPosition.stdout) <= 91)
  const byId = await run('calls show first-note')
  assert.match(byId.stdout, /^call 5 of ledger/)
  assert.match((await run('calls show --id 7')).stdout, /^call 23 of ledger .*\n {2}id {9}7\n/)
  assert.match((await run('calls show 1')).stdout, /^key 1 of ledger .*\n {2}what {7}the database's signing keys changed\n/)
})

test('calls --json has all of it in one document', async () => {
  const { calls } = JSON.parse((await run('calls list --from 14 --to 15 --json')).stdout)
  assert.deepEqual(
    calls.map(({ position, reducer, operations }: { position: string; reducer: string; operations: readonly unknown[] }) => [
      position,
      reducer,
      operations.length,
    ]),
    [
      ['14', 'change', 1],
      ['15', 'forget', 1],
    ],
  )
})

test('what is not there, and what is no data folder, is said with what there is', async () => {
  const missing = await run('calls show 99 --json')
  assert.deepEqual([missing.code, errorOf(missing)], [EXIT_CODES.failed, 'ERR_CALL_UNKNOWN'])
  assert.match(
    (await run('replay', { database: 'ledgers' })).stderr,
    /^ERR_DATABASE_UNKNOWN there is no database ledgers in this data folder: it has bank, ledger, stamps\n$/,
  )
  for (const args of [
    ['calls', '--data', shell.folder, '--database', 'ledger'],
    ['check', '--data', shell.folder],
    ['calls', '--data', fixture.path],
    ['calls', 'show', '--data', fixture.path, '--database', 'ledger'],
    ['calls', '--last', '0', '--data', fixture.path, '--database', 'ledger'],
    ['serve', '--data', 'data', '--log-size-max', '1'],
    ['serve', '--data', 'data', '--log-age-max', 'long'],
  ]) {
    assert.equal((await shell.run(args)).code, EXIT_CODES.usage, args.join(' '))
  }
})

test('replay ends with 0 and its counts when everything came out as recorded', async () => {
  const { code, stdout } = await run('replay')
  assert.equal(code, EXIT_CODES.ok)
  assert.match(
    stdout,
    /^19 calls of ledger run again \(records 1 to 24\): all as recorded\n {2}5 other records applied and not run again\n {2}state before 1: 0 records in \d+ ms\n {2}\d+ µs a call, and \d+ µs to apply a record\n$/,
  )
  assert.match((await run('replay first-note')).stdout, /^1 call of ledger run again \(record 5\): all as recorded\n/)
  assert.match((await run('replay 18-20')).stdout, /^3 calls of ledger run again \(records 18 to 20\): all as recorded\n/)
  assert.match((await run('replay 20-')).stdout, /^5 calls of ledger run again \(records 20 to 24\)/)
  assert.match((await run('replay --id 7')).stdout, /\(record 23\)/)
})

test('replay ends with 6 when a call came out otherwise, and names the first', async () => {
  using folder = fixture.copy()
  await forgeSnapshot(folder, 'ledger', "UPDATE notes SET content = 'forged' WHERE id = 1")
  const { code, stdout } = await run('replay 17-', { folder })
  assert.equal(code, EXIT_CODES.differs)
  assert.match(
    stdout,
    /^7 calls of ledger run again \(records 17 to 24\): 1 came out otherwise\nthe first is read_own_writes at 18\n {2}result recorded: \["1:the first, changed /,
  )
  assert.match(stdout, /\n {2}result replayed: \["1:forged /)
  assert.match(stdout, /\n {2}fuel recorded: \d+\n {2}fuel replayed: \d+\n/)
  const { first } = JSON.parse((await run('replay 17- --json', { folder })).stdout)
  assert.deepEqual([first.position, first.reducer], ['18', 'read_own_writes'])
})

test('check ends with 0 for a sound folder, and with 6 and a paragraph for each thing that is not', async () => {
  const sound = await run('check', { database: '' })
  assert.equal(sound.code, EXIT_CODES.ok)
  assert.match(sound.stdout, /^sound: 3 segments of the log \(\d+\.\d KB\), 3 databases, 1 snapshot, 3 state files\n$/)
  using folder = fixture.copy()
  spoilText(folder, 'note 2')
  rmSync(folder.at('databases/stamps/state.sqlite'))
  const { code, stdout } = await run('check', { folder, database: '' })
  assert.equal(code, EXIT_CODES.differs)
  const paragraphs = stdout.split('\n\n')
  assert.equal(paragraphs.length, 4)
  assert.match(
    paragraphs[0] ?? '',
    /^log\/0\/0+1\.log, offset [\d,]+, sequence 9, database ledger\n {2}.*not what was written\n {2}→ restore the segment from a backup/,
  )
  assert.match(
    paragraphs[2] ?? '',
    /^databases\/stamps\/state\.sqlite, database stamps\n {2}the state file is missing\n {2}→ nothing: the next start makes it anew/,
  )
  assert.match(paragraphs[3] ?? '', /^3 things not as they should be: 3 segments/)
  assert.equal(JSON.parse((await run('check --json', { folder, database: '' })).stdout).findings.length, 3)
})

test('all three work beside a host that runs, and leave it alone', async () => {
  using folder = fixture.copy()
  await using serving = shell.start(['serve', '--data', folder.path, '--port', '0', '--log-size-max', '64MiB', '--log-age-max', '7d'])
  const { url } = await serving.next()
  assert.match((await run('calls show first-note', { folder })).stdout, /^call 5 of ledger/)
  assert.equal((await run('replay', { folder })).code, EXIT_CODES.ok)
  const { code, stdout } = await run('check', { folder, database: '' })
  assert.equal(code, EXIT_CODES.ok)
  assert.match(stdout, /\n {2}left out: state files and the list of databases: a host runs on this folder\n$/)
  assert.equal((await fetch(`${String(url)}/v1/health`)).status, 200)
  assert.equal(await serving.end(), EXIT_CODES.ok)
})

test('a replay that is interrupted leaves no copy of anybody’s data', async () => {
  const args = ['replay', '--data', fixture.path, '--database', 'ledger']
  const child = spawn(process.execPath, [join(repository, 'bin/remembrancer.js'), ...args], {
    env: { ...shell.environment, TMPDIR: temporary },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  while (child.exitCode === null && (await readdir(temporary)).length === 0);
  child.kill('SIGINT')
  const [code, signal] = await ended
  // It may have come to its end just then.
  assert.ok(signal === 'SIGINT' || code === 0, `${code} ${signal}`)
  assert.deepEqual(readdirSync(temporary), [])
})

test('nothing is left in the temporary folder, and the data folder is as it was', async () => {
  assert.deepEqual(readdirSync(temporary), [])
  const earlier = contentOf(fixture.path)
  for (const command of ['calls', 'calls show 5', 'replay']) await run(command)
  await run('check', { database: '' })
  assert.deepEqual(contentOf(fixture.path), earlier)
  assert.deepEqual(readdirSync(temporary), [])
})

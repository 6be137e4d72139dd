/**
 * Leaky modules: each is one of ours with a policy that its author might have written, and each is found out
 * without a case that speaks of it.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

import type { PolicyReport, PolicyTestOptions } from '../../host/policy-test/test-policies.ts'
import { openModule } from '../../host/testing.ts'

const modules = path.join(import.meta.dirname, '../../modules')

type Change = readonly [part: string, instead: string]

/** The report on a module with parts of its source replaced. */
async function reportOf(name: string, changes: readonly Change[], options?: PolicyTestOptions): Promise<PolicyReport> {
  let source = readFileSync(path.join(modules, name, 'index.ts'), 'utf8')
  for (const [part, instead] of changes) {
    assert.ok(source.includes(part), `${name} has ${part}`)
    source = source.replace(part, instead)
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'remembrancer-leak-'))
  try {
    writeFileSync(path.join(folder, 'index.ts'), source)
    await using module = await openModule(folder)
    return await module.testPolicies(options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Tables and reducers, each with the channels by which it leaks. */
function leaksOf({ isolation }: PolicyReport): Readonly<Record<string, readonly string[]>> {
  const channels = Object.entries(Object.groupBy(isolation.leaks, ({ about }) => about))
  return Object.fromEntries(channels.map(([about, some = []]) => [about, [...new Set(some.map(({ channel }) => channel))].toSorted()]))
}

const readNotes = '@policy("read", "exists(members where members.team = notes.team and members.person = sender)")'
const reading = ['SQL', 'count', 'get', 'rows', 'scan']

test('a policy that is true, one that a column decides, and one that asks for too little are found out', async () => {
  const report = await reportOf('team-notes', [
    [readNotes, '@policy("read", "true")'],
    ['@policy("read", "person = sender")', '@policy("read", "person = sender or isLead")'],
    [
      'exists(members where members.team = notes.team and members.person = sender and members.isLead)',
      'exists(members where members.person = sender and members.isLead)',
    ],
  ])
  assert.deepEqual(leaksOf(report), {
    members: reading,
    notes: reading,
    reviews: [...reading, 'delete', 'update'].toSorted(),
    'leave_team()': ['call'],
    'edit_note()': ['call'],
    'move_note()': ['call'],
    'last_notes()': ['call'],
    'count_notes()': ['call'],
    'verdict_on()': ['call'],
  })
  assert.equal(report.failed, 9)
})

test('a membership of any team, where it should be of this one, and writing under any name are found out', async () => {
  const report = await reportOf('team-notes', [
    [readNotes, '@policy("read", "exists(members where members.person = sender)")'],
    ['@policy("insert", "author = sender and exists(members where members.team = notes.team and members.person = sender)")', '@policy("insert", "true")'],
  ])
  assert.deepEqual(leaksOf(report)['notes'], [...reading, 'insert'].toSorted())
})

test('a membership of anybody, where it should be of the sender, is found out', async () => {
  const report = await reportOf('team-notes', [[readNotes, '@policy("read", "exists(members where members.team = notes.team)")']])
  assert.deepEqual(leaksOf(report)['notes'], reading)
})

test('what is shown for its status, or to whoever is proven, is found out', async () => {
  const report = await reportOf('claims', [
    ['@index("status")', '@index("status")\n@policy("read", "status = \'public\'")'],
    ['@table("turns")', '@table("turns")\n@policy("read", "assurance >= \'provider\'")'],
  ])
  assert.deepEqual(leaksOf(report), { claims: reading, turns: reading })
  const count = report.isolation.leaks.find(({ what }) => what === 'SELECT count(*) FROM claims')
  assert.match(count?.without ?? '', /"rows":\[\["6"\]\]/)
  assert.match(count?.with ?? '', /"rows":\[\["7"\]\]/)
})

test('what is shown past a limit is found out, and so is what only rows of the sheet have', async () => {
  const sheet = '| person |\n| --- |\n| sarah |\n\n| who | call |\n| --- | --- |\n| sarah | open_claim("flood", "seen by all") |\n'
  const changes: readonly Change[] = [
    ['@index("status")', '@index("status")\n@policy("read", "kind >= \'flood\' and status = \'open\' and summary > \'seen by\'")'],
    ['@table("turns")', '@table("turns")\n@policy("read", "at < \'2020-01-01T00:00:00Z\'")'],
  ]
  const report = await reportOf('claims', changes, { sheet })
  assert.deepEqual(leaksOf(report), { claims: ['SQL'], turns: reading })
  assert.match(report.isolation.leaks.at(-1)?.what ?? '', /^SELECT \* FROM claims, by a stranger before the cases$/)
})

test('a policy that was meant for one reducer, and one that forgets whom a row is between, are found out', async () => {
  const report = await reportOf('bank', [
    ['@policy("read", "true", { in: ["transfer", "deposit"] })', '@policy("read", "true")'],
    ['@policy("read", "payer = sender or payee = sender")', '@policy("read", "cents > 0")'],
  ])
  assert.deepEqual(Object.keys(leaksOf(report)).toSorted(), ['accounts', 'balance()', 'payments'])
})

const teamsForAll: Change = [
  '@policy("read", "exists(members where members.team = teams.id and members.person = sender) or claim(\'role\') = \'admin\'")',
  '@policy("read", "true")',
]

test('what is meant for everybody is said so with its reason, and nothing else is excused by it', async () => {
  const sheet = '| shown to strangers | why |\n| --- | --- |\n| teams | their names are on the door |\n'
  const told = await reportOf('team-notes', [teamsForAll], { sheet })
  assert.deepEqual([leaksOf(told), told.notShown, told.failed], [{}, [], 0])
  const both = await reportOf('team-notes', [teamsForAll, [readNotes, '@policy("read", "true")']], { sheet })
  assert.deepEqual(Object.keys(leaksOf(both)).toSorted(), ['count_notes()', 'edit_note()', 'last_notes()', 'leave_team()', 'move_note()', 'notes'])
})

test('what is called shown and is not fails, and a unique over all owners is a note', async () => {
  const sheet = '| shown to strangers | why |\n| --- | --- |\n| turns | a test |\n'
  const report = await reportOf('claims', [['@index("status")', '@index("status")\n@unique("summary", { global: true })']], { sheet })
  assert.deepEqual([report.notShown.map(({ line, column, table }) => ({ line, column, table })), report.failed], [[{ line: 3, column: 3, table: 'turns' }], 1])
  assert.deepEqual([leaksOf(report), report.isolation.notes], [{}, ['claims has a key or unique over all owners: who writes it learns that it is taken']])
})

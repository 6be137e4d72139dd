/** The sheet as its author writes it: what it says, and where each of its errors is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import { parseSheet } from '../../host/policy-test/sheet.ts'
import { openModule } from '../../host/testing.ts'

const modules = path.join(import.meta.dirname, '../../modules')

function sheetOf(module: string): string {
  return readFileSync(path.join(modules, module, 'policies.test.md'), 'utf8')
}

for (const name of ['bank', 'claims', 'team-notes']) {
  test(`every case of ${name} holds`, async () => {
    await using module = await openModule(path.join(modules, name))
    const { cases, failed, isolation } = await module.testPolicies({ sheet: sheetOf(name) })
    assert.deepEqual(isolation.notes, name === 'bank' ? ["transfer() may tell of others' rows: policies open accounts, payments inside of it"] : [])
    assert.deepEqual([cases.filter(({ holds }) => !holds), failed], [[], 0])
    assert.ok(cases.length > 30)
  })
}

test('a case that does not hold says what it expected and what there is, and leaves nothing behind', async () => {
  await using module = await openModule(path.join(modules, 'claims'))
  const sheet = `| person |
| ------ |
| sarah  |
| bob    |

| who   | call                             | kept as |
| ----- | -------------------------------- | ------- |
| sarah | open_claim("water", "a basement") | claim  |

| rows of | where             | sarah | bob |
| ------- | ----------------- | ----- | --- |
| claims  | caller = $sarah   | no    | yes |
| claims  | status = 'closed' | no    |     |
| turns   |                   |       | 0   |

| call                         | sarah | bob   |
| ---------------------------- | ----- | ----- |
| open_claim("fire", "a roof") | "2"   | "2"   |
| remember_turn(7)             | fails | ok    |
| last_turns(1)                | 0 rows | 1 row |
`
  const { cases } = await module.testPolicies({ sheet })
  assert.deepEqual(
    cases.map(({ line, column, person, found, holds }) => [line, column, person, found, holds]),
    [
      [12, 33, 'sarah', '1 of 1', false],
      [12, 41, 'bob', '0 of 1', false],
      [13, 33, 'sarah', 'there is no such row at all', false],
      [14, 41, 'bob', 'there is no such row at all', false],
      [18, 34, 'sarah', '"2"', true],
      [18, 42, 'bob', '"1"', false],
      [19, 34, 'sarah', 'ERR_ARGUMENT_TYPE: remember_turn(content): expected string, got number 7', false],
      [19, 42, 'bob', 'ERR_ARGUMENT_TYPE: remember_turn(content): expected string, got number 7', false],
      [20, 34, 'sarah', '0 rows', true],
      [20, 43, 'bob', '0 rows', false],
    ],
  )
  const sarah = await module.as('sarah')
  assert.equal(sarah.rows('claims').length, 1)
})

test('people are told apart by login, claims, assurance and who acts for them', () => {
  const { sheet, problems } = parseSheet(`
| person | login | claims                | assurance | actor |
| ------ | ----- | --------------------- | --------- | ----- |
| agent  |       |                       |           |       |
| desk   | sarah | role=desk, region=a=b | signed    | agent |
`)
  assert.deepEqual(problems, [])
  const [agent, desk] = sheet.people
  assert.deepEqual([agent?.login, agent?.claims, agent?.assurance, agent?.actor], ['agent', {}, 'none', undefined])
  assert.deepEqual([desk?.login, desk?.claims, desk?.assurance, desk?.actor], ['sarah', { role: 'desk', region: 'a=b' }, 'signed', 'agent'])
})

test('prose, and what stands in a fence, is no table', () => {
  const { sheet, problems } = parseSheet('a | b\n```\n| nothing | of |\n```\n\n| person |\n| --- |\n| sarah |\n')
  assert.deepEqual([sheet.people.map(({ name }) => name), problems], [['sarah'], []])
})

const head = '| person |\n| --- |\n| sarah |\n\n'
const wrong: readonly (readonly [what: string, sheet: string, line: number, column: number, message: RegExp])[] = [
  ['has no table', 'nothing here\n', 1, 1, /no table here/],
  ['has a table of another kind', '| name |\n| --- |\n| sarah |\n', 1, 3, /no table of cases begins with "name"/],
  ['has a table without its line of dashes', '| person |\n| sarah |\n', 2, 1, /a line of dashes/],
  ['has a row without its first bar', `${head}| call | sarah |\n--- | --- |\n`, 6, 1, /every line of a table begins with \|/],
  ['has a row of too many cells', `${head}| call | sarah |\n| --- | --- |\n| a() | ok | ok |\n`, 7, 1, /3 cells, and its table 2 columns/],
  ['has a row that does not end', `${head}| call | sarah |\n| --- | --- |\n| a() | ok\n`, 7, 11, /ends with \|/],
  ['names a person twice', '| person |\n| --- |\n| sarah |\n| sarah |\n', 4, 3, /names something else already/],
  ['names nobody', `${head}| call | bob |\n| --- | --- |\n`, 5, 10, /there is no person bob; there is sarah/],
  ['has an assurance of its own', '| person | assurance |\n| --- | --- |\n| sarah | sure |\n', 3, 11, /an assurance is one of none, claimed/],
  ['has claims without values', '| person | claims |\n| --- | --- |\n| sarah | admin |\n', 3, 11, /claims are written as in/],
  ['has an actor who is nobody', '| person | actor |\n| --- | --- |\n| sarah | agent |\n', 3, 3, /no person agent/],
  ['has a column of its own', '| person | age |\n| --- | --- |\n| sarah | 7 |\n', 1, 12, /the columns of this table are person, login/],
  ['has a call without arguments', `${head}| call | sarah |\n| --- | --- |\n| recall | ok |\n`, 7, 9, /expected \(/],
  ['has an argument that is no JSON', `${head}| call | sarah |\n| --- | --- |\n| recall(twenty) | ok |\n`, 7, 10, /a value is JSON/],
  ['names what no call gave', `${head}| call | sarah |\n| --- | --- |\n| recall($limit) | ok |\n`, 7, 10, /nothing is called \$limit; there is \$sarah/],
  [
    'names in SQL what no call gave',
    `${head}| rows of | where | sarah |\n| --- | --- | --- |\n| turns | \`id = $turn\` | yes |\n`,
    7,
    17,
    /nothing is called \$turn/,
  ],
  ['expects what is no outcome', `${head}| call | sarah |\n| --- | --- |\n| recall(1) | maybe |\n`, 7, 15, /ok, denied, fails, an error code/],
  [
    'expects what is no sight',
    `${head}| rows of | where | sarah |\n| --- | --- | --- |\n| turns | | some |\n`,
    7,
    13,
    /yes \(all of these rows\), no \(none\)/,
  ],
  ['has no where', `${head}| rows of | sarah |\n| --- | --- |\n| turns | yes |\n`, 5, 13, /after rows of comes where/],
  ['shows something without a reason', '| shown to strangers | why |\n| --- | --- |\n| turns |  |\n', 3, 3, /say why anybody may see turns/],
]

for (const [what, sheet, line, column, message] of wrong) {
  test(`a sheet that ${what} is refused at its place`, () => {
    const [first] = parseSheet(sheet).problems
    assert.deepEqual([first?.line, first?.column], [line, column], first?.message)
    assert.match(first?.message ?? '', message)
  })
}

test('what a sheet says of another module is refused at its place too', async () => {
  await using module = await openModule(path.join(modules, 'claims'))
  const refusals: readonly (readonly [string, RegExp])[] = [
    [
      `${head}| rows of | where | sarah |\n| --- | --- | --- |\n| notes | | yes |\n`,
      /^cases\.md:7:3 the module has no table notes; it has people, claims, turns$/,
    ],
    [`${head}| rows of | where | sarah |\n| --- | --- | --- |\n| turns | word = 1 | yes |\n`, /^cases\.md:7:11 ERR_SQL_NAME .*word/],
    [
      `${head}| who | call |\n| --- | --- |\n| sarah | introduce("") |\n`,
      /^cases\.md:7:11 introduce\(""\), called by sarah before the cases, ended with ERR_CALL_FAILED/,
    ],
    ['| shown to strangers | why |\n| --- | --- |\n| doors | open |\n', /^cases\.md:3:3 the module has no table doors/],
  ]
  for (const [sheet, message] of refusals) {
    await assert.rejects(module.testPolicies({ sheet, file: 'cases.md' }), (error) => {
      assert.ok(error instanceof HostError && error.code === 'ERR_POLICY_TEST')
      assert.match(error.message.split('\n')[0] ?? '', message)
      return true
    })
  }
})

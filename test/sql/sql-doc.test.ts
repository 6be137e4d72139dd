/** Every statement of docs/sql.md, run over the claims module as the page says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { HostError } from '../../host/errors.ts'
import { openModule } from '../../host/testing.ts'

const page = readFileSync(path.join(import.meta.dirname, '../../docs/sql.md'), 'utf8')
const module = await openModule((await buildModule(path.join(import.meta.dirname, '../../modules/claims'), { optimize: false })).component)
after(() => module.close())

const sarah = await module.as('sarah')
await sarah.call('open_claim', ['water damage', 'the water in your basement'])
for (const content of ['It is the basement', 'The basement is under water']) await sarah.call('remember_turn', [content])

test('what the page says can be written is taken, and finds rows', () => {
  const statements = (/```sql\n([^`]*)```/.exec(page)?.[1] ?? '').split('\n').filter((line) => line !== '')
  assert.ok(statements.length > 8)
  const found = statements.filter((sql) => sarah.sql(sql, sql.includes('$1') ? [sarah.identity] : []).returned > 0)
  // Of the others one asks for ids that are not there, one for what an agent said.
  assert.ok(found.length >= statements.length - 2, found.join('\n'))
})

test('what the page says is refused is refused with that code', () => {
  const rows = [...page.matchAll(/^\| `((?:SELECT|DELETE|WITH)[^`]*)` \| `(ERR_SQL_\w+)` \|$/gm)]
  assert.ok(rows.length > 10)
  for (const [, sql = '', code] of rows) assert.throws(() => sarah.sql(sql), { code }, sql)
})

test('an error points at its place', () => {
  const error = (sql: string): HostError => {
    try {
      sarah.sql(sql)
    } catch (thrown) {
      if (thrown instanceof HostError) return thrown
    }
    throw new Error(`${sql} is taken`)
  }
  const typo = error('SELECT id,\n  contnet FROM turns')
  assert.equal(typo.message, 'no column contnet: did you mean content?\n  contnet FROM turns\n  ^')
  assert.deepEqual(typo.detail, { line: 2, column: 3 })
  assert.equal(error("SELECT 'é😀', nothing FROM turns").message.split('\n').at(-1), `${' '.repeat(13)}^`)
  assert.equal(error("SELECT '\u001b[31m' FRO turns").message.includes('\u001b'), false)
})

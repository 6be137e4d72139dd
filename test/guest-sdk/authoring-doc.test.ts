/** The examples of docs/authoring.md, built as the one module they say they are, and run. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import { ModuleFolder } from './module-fixture.ts'

const page = readFileSync(path.join(import.meta.dirname, '../../docs/authoring.md'), 'utf8')
const source = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]).join('\n')

test('the examples are a module that works', async () => {
  using folder = new ModuleFolder({ 'index.ts': source })
  const data = mkdtempSync(path.join(tmpdir(), 'remembrancer-'))
  try {
    await using host = await openHost({ data, clock: { now: () => 90_000_000_000n } })
    const database = await host.database('notes', { create: true })
    const { component, warnings } = await buildModule(folder.path, { optimize: false })
    assert.deepEqual(warnings, [])
    await database.publish(component)
    const sarah = await database.as({ subject: 'sarah' })
    const bob = await database.as({ subject: 'bob' }, { actor: { subject: 'agent' } })

    assert.deepEqual([await sarah.call('add_note', ['tea', 'Buy some']), await sarah.call('add_note', ['tea', 'Drink it'])], [1n, 2n])
    await assert.rejects(sarah.call('add_note', ['tea', '']), { code: 'ERR_CALL_FAILED', message: 'a note has a text' })
    assert.deepEqual([await sarah.call('add_star', [2n]), await sarah.call('add_star', [3n]), await bob.call('add_star', [1n])], [true, false, false])

    const at = 90_000_000_000n
    const first = { id: 1n, author: sarah.identity, topic: 'tea', text: 'Buy some', at, stars: 0 }
    const second = { id: 2n, author: sarah.identity, topic: 'tea', text: 'Drink it', at, stars: 1 }
    assert.deepEqual(sarah.query('last_notes', [5]), [first, second])
    assert.deepEqual(sarah.query('notes_of_day', ['tea', 86_400_000_000n]), [first, second])
    assert.deepEqual(sarah.query('last_note_about', ['tea']), second)
    assert.deepEqual(sarah.query('overview', [5]), { notes: [first, second], best: second, average: 0.5 })
    assert.deepEqual(bob.query('overview', [5]), { notes: [], best: null, average: null })

    await sarah.call('set_setting', ['voice', '"low"'])
    await sarah.call('set_setting', ['voice', '"high"'])
    assert.deepEqual(sarah.rows('settings'), [{ author: sarah.identity, name: 'voice', value: '"high"', changed_at: at }])
    await assert.rejects(bob.call('set_setting', ['voice', '1']), { code: 'ERR_CALL_FAILED' })

    const admin = await database.as({ subject: 'admin' }, { claims: { role: 'admin' }, assurance: 'signed' })
    await assert.rejects(sarah.call('open_board', ['pipes']), { code: 'ERR_ROW_DENIED' })
    const board = await admin.call('open_board', ['pipes'])
    await admin.call('seat', [board, sarah.identity])
    assert.deepEqual(sarah.query('my_boards'), [{ id: board, founder: admin.identity, title: 'pipes' }])
    assert.deepEqual(bob.query('my_boards'), [])
    await sarah.call('vote', [board, true])
    await bob.call('vote', [board, false])
    assert.equal(bob.query('result', [board, [sarah.identity, bob.identity]]), 1)
    assert.deepEqual(bob.rows('votes', { where: { person: sarah.identity } }), [])
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})

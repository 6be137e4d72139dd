import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { HostError } from '../../host/errors.ts'
import type { ErrorCode } from '../../host/errors.ts'
import { componentSizeBytesMax, gateQueueMax } from '../../host/limits.ts'
import { Gate } from '../../host/module/gate.ts'
import { DESCRIPTION, guestComponent, INITIALIZE, rewired } from './guests.ts'

let good: Uint8Array
let gate: Gate

before(async () => {
  good = await guestComponent()
  gate = new Gate()
})

after(() => gate.close())

async function assertGoodPublish(): Promise<void> {
  const { description } = await gate.check(good)
  assert.equal(Buffer.from(description).toString(), DESCRIPTION)
}

async function assertRefused(component: Uint8Array, code: ErrorCode, words: RegExp): Promise<void> {
  await assert.rejects(gate.check(component), (error) => {
    assert.ok(error instanceof HostError)
    assert.equal(error.code, code, error.message)
    assert.match(error.message, words)
    return true
  })
}

function describeWith(body: string, more = ''): Promise<Uint8Array> {
  return guestComponent({ describe: `(func (export "describe") (result i32) ${body})`, more })
}

test('a good component gives core module, description, hash and the time of each step', async () => {
  const { core, description, componentHash, timings } = await gate.check(good)
  assert.ok(WebAssembly.validate(new Uint8Array(core)))
  assert.equal(Buffer.from(description).toString(), DESCRIPTION)
  assert.match(componentHash, /^[0-9a-f]{64}$/)
  assert.deepEqual(Object.keys(timings), ['start', 'parse', 'core', 'wiring', 'validate', 'rewrite', 'wit', 'describe', 'hash'])
})

test('a child is kept warm: the second check starts none', async () => {
  await gate.check(good)
  assert.equal((await gate.check(good)).timings['start'], 0)
})

test('a refusal by our own parser leaves the child as it is', async () => {
  await gate.check(good)
  await assertRefused(Buffer.from('junk'), 'ERR_COMPONENT_MALFORMED', /header/)
  assert.equal((await gate.check(good)).timings['start'], 0)
})

test('an endless describe is ended, and the next publish is good', async () => {
  await assertRefused(await describeWith('(loop br 0) unreachable'), 'ERR_DESCRIPTION', /describe trapped \(all \d+ units of fuel were used up/)
  await assertGoodPublish()
})

test('an endless _initialize is ended, and the next publish is good', async () => {
  await assertRefused(
    await guestComponent({ more: INITIALIZE.replace('))', ') (loop br 0))') }),
    'ERR_DESCRIPTION',
    /_initialize trapped \(all \d+ units of fuel/,
  )
  await assertGoodPublish()
})

test('a describe that fills gigabytes is ended, and the next publish is good', async () => {
  const greedy = '(drop (memory.grow (i32.const 32000))) (memory.fill (i32.const 65536) (i32.const 1) (i32.const 2097086464)) i32.const 16'
  await assertRefused(await describeWith(greedy), 'ERR_DESCRIPTION', /describe trapped \(memory access out of bounds/)
  await assertGoodPublish()
})

test('endless recursion in describe is a trap, and the next publish is good', async () => {
  await assertRefused(await describeWith('call $f', '(func $f (result i32) call $f)'), 'ERR_DESCRIPTION', /describe trapped \(the module recursed too deep/)
  await assertGoodPublish()
})

test('a describe that traps is refused with the reason', async () => {
  await assertRefused(await describeWith('unreachable'), 'ERR_DESCRIPTION', /describe trapped \(unreachable\)/)
})

test('a describe that calls the host is refused', async () => {
  await assertRefused(await describeWith('(call $fail (i32.const 0) (i32.const 0)) i32.const 16'), 'ERR_DESCRIPTION', /describe called fail/)
})

test('a describe whose list lies outside its memory is refused, at every edge', async () => {
  for (const area of [65_529, 65_536, -1, -8, 17]) {
    await assertRefused(await describeWith(`i32.const ${area}`), 'ERR_DESCRIPTION', /multiple of 4 inside the memory/)
  }
  const listAt = (pointer: number, size: number) =>
    describeWith(`(i32.store (i32.const 128) (i32.const ${pointer})) (i32.store (i32.const 132) (i32.const ${size})) i32.const 128`)
  await assertRefused(await listAt(-1, 2), 'ERR_DESCRIPTION', /end outside the memory/)
  await assertRefused(await listAt(65_535, 2), 'ERR_DESCRIPTION', /end outside the memory/)
  await assertRefused(await listAt(0, 2 ** 31 - 1), 'ERR_DESCRIPTION', /at most 262144/)
  const { description } = await gate.check(await listAt(65_535, 1))
  assert.equal(description.length, 1)
})

test('a component that only the tools refuse costs the child, and the next publish is good', async () => {
  // By the specification a function of an interface may only use types that the interface has named.
  const unnamed = await rewired(good, '(param "level" 1)', '(param "level" 0)')
  await assertRefused(unnamed, 'ERR_COMPONENT_MALFORMED', /tools refused it/)
  assert.notEqual((await gate.check(good)).timings['start'], 0)
})

test('a core module that does not validate is refused', async () => {
  const untyped = await rewired(good, 'i32.const 64', 'i64.const 64')
  await assertRefused(untyped, 'ERR_COMPONENT_MALFORMED', /that WebAssembly accepts/)
})

test('an upload over the size is refused before it is sent anywhere', async () => {
  await assertRefused(new Uint8Array(componentSizeBytesMax + 1), 'ERR_COMPONENT_TOO_LARGE', /at most 8388608/)
})

test('checks that come at once all get their own answer, and too many are told to come back', async () => {
  const bad = Buffer.from('junk')
  const uploads = Array.from({ length: gateQueueMax }, (_, index) => (index % 2 === 0 ? good : bad))
  const answers = Promise.allSettled(uploads.map((upload) => gate.check(upload)))
  await assertRefused(good, 'ERR_BUSY', /publishes are waiting/)
  assert.deepEqual(
    (await answers).map((answer) => answer.status),
    uploads.map((upload) => (upload === good ? 'fulfilled' : 'rejected')),
  )
  await assertGoodPublish()
})

test('closing the gate ends what runs and what waits', async () => {
  await using closing = new Gate()
  const endless = closing.check(await describeWith('(loop br 0) unreachable'))
  const waiting = closing.check(good)
  const answers = Promise.allSettled([endless, waiting])
  await closing.close()
  for (const answer of await answers) {
    assert.equal(answer.status === 'rejected' && answer.reason instanceof HostError && answer.reason.code, 'ERR_BUSY')
  }
  await assert.rejects(closing.check(good), { code: 'ERR_BUSY' })
})

/** Another process that is a host: `script` finds an upload as `good`, and a gate. */
async function startHost(script: string): Promise<{ folder: string; host: ChildProcess }> {
  const folder = await mkdtemp(join(tmpdir(), 'remembrancer-gate-'))
  await writeFile(join(folder, 'good.wasm'), good)
  const source = `
    import { readFileSync } from 'node:fs'
    import { Gate } from ${JSON.stringify(new URL('../../host/module/gate.ts', import.meta.url).href)}
    const good = new Uint8Array(readFileSync('good.wasm'))
    const gate = new Gate()
    ${script}`
  const host = spawn(process.execPath, ['--input-type=module', '--eval', source], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  return { folder, host }
}

/** False also for a process that has ended and that nobody has waited for. */
function isRunning(processFolder: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(join(processFolder, 'status'), 'latin1'))
  } catch {
    return false
  }
}

test('a warm child does not keep its host alive', { timeout: 30_000 }, async () => {
  const { folder, host } = await startHost('await gate.check(good)')
  assert.deepEqual(await once(host, 'exit'), [0, null])
  await rm(folder, { recursive: true })
})

test('a warm child ends when its host is killed', { timeout: 30_000, skip: !existsSync('/proc/self/task') }, async () => {
  const { folder, host } = await startHost(`
    await gate.check(good)
    console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'latin1'))
    setInterval(() => undefined, 1_000)`)
  assert.ok(host.stdout)
  const [child] = await once(host.stdout, 'data')
  const childFolder = `/proc/${String(child).trim()}`
  assert.ok(existsSync(childFolder))
  host.kill('SIGKILL')
  while (isRunning(childFolder)) await setTimeout(50)
  await rm(folder, { recursive: true })
})

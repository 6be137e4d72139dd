/**
 * What every driver of the commit log must do, as tests over its interface: the file log and the memory log pass
 * them, and a third driver would have to.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import type { ErrorCode } from '../../host/errors.ts'
import type { AppendOutcome, CommitLog } from '../../host/log/commit-log.ts'
import { RecordBatch } from '../../host/log/record-batch.ts'
import type { LoggedRecord } from '../../host/log/record.ts'
import { Chains, emptyBytes, hex, uid } from './records.ts'

/** One log on one store, which several holders open one after the other. */
export interface DriverFixture extends Disposable {
  open(): CommitLog
  /** The holder's process is gone, without a release. */
  kill(log: CommitLog): void
}

const [sarah, bob, clara] = [uid(1), uid(2), uid(3)]

/** A log that is held, with the chains of what was appended to it. */
export class Writer {
  readonly log: CommitLog
  chains: Chains
  readonly #batch = new RecordBatch()

  constructor(log: CommitLog, chains = new Chains()) {
    this.log = log
    this.chains = chains
  }

  /** One batch of a record each of these databases, whose sections are these bytes. */
  append(text: string | Uint8Array, ...databases: readonly Uint8Array[]): AppendOutcome {
    const outcomes: AppendOutcome[] = []
    this.appendLater(text, databases, (outcome) => outcomes.push(outcome))
    const [outcome] = outcomes
    assert(outcome !== undefined && outcomes.length === 1, 'an append is answered once')
    return outcome
  }

  appendLater(text: string | Uint8Array, databases: readonly Uint8Array[], done: (outcome: AppendOutcome) => void): void {
    const next = this.chains.copy()
    this.#batch.reset()
    for (const database of databases) next.add(this.#batch, database, typeof text === 'string' ? Buffer.from(text) : text)
    this.log.append(this.#batch, (outcome) => {
      if ('firstSequence' in outcome) this.chains = next
      done(outcome)
    })
  }
}

export async function recordsOf(log: CommitLog, from = 0n, database?: Uint8Array): Promise<readonly LoggedRecord[]> {
  const records: LoggedRecord[] = []
  for await (const chunk of log.read(from, database === undefined ? {} : { database })) records.push(...chunk)
  return records
}

/** Sequence, database and content of a record, as a line. */
export function lineOf({ sequence, head, sections, isErased }: LoggedRecord): string {
  return `${sequence} ${head.database[0]}/${head.position} ${isErased ? 'erased' : Buffer.from(sections).toString()}`
}

async function linesOf(log: CommitLog, from?: bigint, database?: Uint8Array): Promise<readonly string[]> {
  return (await recordsOf(log, from, database)).map((record) => lineOf(record))
}

async function refusal(work: () => Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    assert(error instanceof HostError, String(error))
    return error.code
  }
}

function failureOf(outcome: AppendOutcome): ErrorCode | undefined {
  return 'failure' in outcome ? outcome.failure.code : undefined
}

export function driverSuite(driver: string, makeFixture: () => DriverFixture): void {
  const named = (fact: string): string => `${driver}: ${fact}`

  test(named('a new log is empty and counts from 1'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    const { nextSequence, heads, damage } = await log.acquire()
    assert.deepEqual([nextSequence, heads.size, damage.length], [1n, 0, 0])
    assert.deepEqual(await linesOf(log), [])
    await log.release()
  })

  test(named('what was appended is read in its order, each record under the next sequence'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    assert.deepEqual(writer.append('a', sarah, bob), { firstSequence: 1n })
    assert.deepEqual(writer.append('b', bob), { firstSequence: 3n })
    assert.deepEqual(await linesOf(log), ['1 1/1 a', '2 2/1 a', '3 2/2 b'])
    assert.deepEqual(await linesOf(log, 2n), ['2 2/1 a', '3 2/2 b'])
    assert.deepEqual(await linesOf(log, 2n, sarah), [])
    assert.deepEqual(await linesOf(log, 0n, bob), ['2 2/1 a', '3 2/2 b'])
    await log.release()
  })

  for (const ending of ['release', 'kill'] as const) {
    test(named(`after a ${ending} the next holder finds everything, under a later epoch`), async () => {
      using fixture = makeFixture()
      const first = fixture.open()
      const { epoch } = await first.acquire()
      const writer = new Writer(first)
      writer.append('a', sarah, bob)
      writer.append('b', bob)
      if (ending === 'kill') fixture.kill(first)
      else await first.release()

      const second = fixture.open()
      const tenure = await second.acquire()
      assert.ok(tenure.epoch > epoch)
      assert.deepEqual([tenure.nextSequence, tenure.damage], [4n, []])
      const heads = [...tenure.heads].map(([database, head]) => [
        database,
        head.position,
        head.sequence,
        head.firstPosition,
        head.firstSequence,
        hex(head.chain),
      ])
      const chainOf = (database: Uint8Array): string => hex(writer.chains.end(database)?.chain ?? emptyBytes)
      assert.deepEqual(heads, [
        [hex(sarah), 1n, 1n, 1n, 1n, chainOf(sarah)],
        [hex(bob), 2n, 3n, 1n, 2n, chainOf(bob)],
      ])
      assert.deepEqual(new Writer(second, writer.chains).append('c', sarah), { firstSequence: 4n })
      assert.deepEqual(await linesOf(second), ['1 1/1 a', '2 2/1 a', '3 2/2 b', '4 1/2 c'])
      assert.deepEqual(await second.check(), [])
      await second.release()
    })
  }

  test(named('a log has one holder'), async () => {
    using fixture = makeFixture()
    const [first, second] = [fixture.open(), fixture.open()]
    await first.acquire()
    const writer = new Writer(first)
    writer.append('a', sarah)
    // A driver with a lock keeps the second one out; one without lets it in and fences the first.
    if ((await refusal(() => second.acquire())) === 'ERR_FOLDER_LOCKED') {
      await first.heartbeat()
      assert.deepEqual(writer.append('b', sarah), { firstSequence: 2n })
      await first.release()
      return
    }
    assert.equal(await refusal(() => first.heartbeat()), 'ERR_LOG_FENCED')
    assert.equal(failureOf(writer.append('b', sarah)), 'ERR_LOG_FENCED')
    assert.deepEqual(await linesOf(second), ['1 1/1 a'])
    await second.release()
  })

  test(named('who has not acquired, or has released, writes and reads nothing'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    const writer = new Writer(log)
    assert.equal(failureOf(writer.append('a', sarah)), 'ERR_LOG_FENCED')
    await log.acquire()
    writer.append('b', sarah)
    await log.release()
    await log.release()
    assert.equal(failureOf(writer.append('c', sarah)), 'ERR_LOG_FENCED')
    assert.equal(await refusal(() => log.heartbeat()), 'ERR_LOG_FENCED')
    assert.equal(await refusal(() => recordsOf(log)), 'ERR_LOG_FENCED')
    assert.equal(await refusal(() => log.trim(2n)), 'ERR_LOG_FENCED')
    assert.equal(await refusal(() => log.erase(sarah)), 'ERR_LOG_FENCED')
    await log.acquire()
    assert.deepEqual(await linesOf(log), ['1 1/1 b'])
    await log.release()
  })

  test(named('a long log is read in chunks'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    for (let count = 0; count < 300; count += 1) writer.append(`${count}`, sarah, bob)
    const sizes: number[] = []
    for await (const chunk of log.read(1n)) sizes.push(chunk.length)
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      600,
    )
    assert.ok(Math.max(...sizes) <= 256 && sizes.length >= 3, sizes.join(' '))
    await log.release()
  })

  test(named('what is appended during a read is not in it'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    for (let count = 0; count < 300; count += 1) writer.append('before', sarah)
    let read = 0
    for await (const chunk of log.read(1n)) {
      read += chunk.length
      writer.append('meanwhile', sarah)
    }
    assert.equal(read, 300)
    await log.release()
  })

  test(named('trim takes whole segments that are older, and never the one that is written'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    writer.append('once', clara)
    for (let count = 0; count < 400; count += 1) writer.append('x'.repeat(100), sarah, bob)
    const before = log.segments()
    assert.ok(before.length >= 4)
    const [, second] = before
    assert(second !== undefined)
    await log.trim(second.lastSequence)
    assert.deepEqual(
      log.segments().map(({ firstSequence }) => firstSequence),
      before.slice(1).map(({ firstSequence }) => firstSequence),
    )
    await log.trim(second.lastSequence + 1n)
    assert.deepEqual(log.segments()[0]?.firstSequence, second.lastSequence + 1n)
    const kept = await recordsOf(log)
    assert.deepEqual([kept[0]?.sequence, kept.at(-1)?.sequence], [second.lastSequence + 1n, 801n])
    await log.trim(1_000n)
    assert.equal(log.segments().length, 1)
    assert.deepEqual(writer.append('after', clara), { firstSequence: 802n })
    assert.deepEqual(await log.check(), [])
    await log.release()

    const next = fixture.open()
    const { nextSequence, heads } = await next.acquire()
    assert.equal(nextSequence, 803n)
    assert.deepEqual([heads.get(hex(clara))?.firstPosition, heads.get(hex(clara))?.position], [2n, 2n])
    await next.release()
  })

  test(named('segments say what is in them'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    writer.append('once', clara)
    for (let count = 0; count < 200; count += 1) writer.append('x'.repeat(100), sarah)
    const segments = log.segments()
    assert.deepEqual(
      segments.map(({ sealedAt }) => sealedAt !== undefined),
      segments.map((_segment, index) => index < segments.length - 1),
    )
    assert.ok(segments[0]?.heads.has(hex(clara)) && !segments.at(-1)?.heads.has(hex(clara)))
    for (const [index, segment] of segments.entries()) {
      assert.equal(segments[index + 1]?.firstSequence ?? 202n, segment.lastSequence + 1n)
      assert.ok(segment.sizeBytes > 0 || segment.lastSequence < segment.firstSequence)
    }
    await log.release()
  })

  test(named('an erased database has no payloads, and its chain and the others stay'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    for (const text of ['a', 'b']) writer.append(text, sarah, bob)
    await log.erase(sarah)
    writer.append('c', bob)
    const expected = ['1 1/1 erased', '2 2/1 a', '3 1/2 erased', '4 2/2 b', '5 2/3 c']
    assert.deepEqual(await linesOf(log), expected)
    await log.erase(sarah)
    await log.erase(uid(99))
    assert.deepEqual(await log.check(), [])
    fixture.kill(log)

    const next = fixture.open()
    const tenure = await next.acquire()
    assert.equal(hex(tenure.heads.get(hex(sarah))?.chain ?? emptyBytes), hex(writer.chains.end(sarah)?.chain ?? emptyBytes))
    assert.deepEqual(await linesOf(next), expected)
    assert.deepEqual(await next.check(), [])
    await next.release()
  })

  test(named('records of every size come back'), async () => {
    using fixture = makeFixture()
    const log = fixture.open()
    await log.acquire()
    const writer = new Writer(log)
    const sizes = [0, 1, 7, 8, 4_095, 70_000, 1_048_576, 3_000_000]
    for (const size of sizes) writer.append('y'.repeat(size), sarah, bob)
    assert.deepEqual(
      (await recordsOf(log, 0n, bob)).map(({ sections }) => sections.length),
      sizes,
    )
    fixture.kill(log)
    const next = fixture.open()
    await next.acquire()
    assert.deepEqual(
      (await recordsOf(next, 0n, sarah)).map(({ sections }) => sections.length),
      sizes,
    )
    await next.release()
  })

  test(named('any history of appends, erasures and holders reads as it was written'), async () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ kind: fc.constant('append' as const), databases: fc.array(fc.constantFrom(sarah, bob, clara), { minLength: 1, maxLength: 9 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), database: fc.constantFrom(sarah, bob, clara) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'kill' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        using fixture = makeFixture()
        let writer = new Writer(fixture.open())
        await writer.log.acquire()
        let lines: { database: Uint8Array; text: string }[] = []
        for (const [index, one] of steps.entries()) {
          if (one.kind === 'append') {
            const outcome = writer.append(`step ${index}`, ...one.databases)
            assert.deepEqual(outcome, { firstSequence: BigInt(lines.length + 1) })
            for (const database of one.databases) lines.push({ database, text: `step ${index}` })
          } else if (one.kind === 'erase') {
            await writer.log.erase(one.database)
            lines = lines.map((line) => (line.database === one.database ? { ...line, text: 'erased' } : line))
          } else {
            if (one.kind === 'kill') fixture.kill(writer.log)
            else await writer.log.release()
            writer = new Writer(fixture.open(), writer.chains)
            const tenure = await writer.log.acquire()
            assert.deepEqual([tenure.nextSequence, tenure.damage], [BigInt(lines.length + 1), []])
          }
        }
        const read = await recordsOf(writer.log)
        assert.deepEqual(
          read.map((record) => ({ database: record.head.database, text: record.isErased ? 'erased' : Buffer.from(record.sections).toString() })),
          lines,
        )
        assert.deepEqual(await writer.log.check(), [])
        await writer.log.release()
      }),
      { numRuns: 30 },
    )
  })
}

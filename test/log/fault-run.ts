/**
 * One story of a log on a disk that fails as it is told: appends to three databases with segments that end, trims,
 * heartbeats and an erasure. `runStory` tells what the log answered, `problemOf` holds the log
 * that the next holder finds against it.
 */
import { FileLog } from '../../host/log/file-log.ts'
import type { AppendOutcome } from '../../host/log/commit-log.ts'
import type { LoggedRecord } from '../../host/log/record.ts'
import { HostError } from '../../host/errors.ts'
import { StoppedClock } from '../storage/folder.ts'
import { recordsOf, Writer } from './driver-suite.ts'
import { uid } from './records.ts'
import type { SimDisk } from './sim-disk.ts'

const [sarah, bob, clara] = [uid(1), uid(2), uid(3)]
/** Of which the header has 8. */
const segmentSizeBytes = 24 * 1024

export interface StoryOptions {
  readonly appends: number
  readonly atAppend?: (index: number) => void
}

interface ToldBatch {
  readonly text: string
  readonly databases: readonly Uint8Array[]
  readonly outcome: 'acknowledged' | 'refused' | 'unknown'
}

export interface Story {
  /** Everything that was asked, in its order; what nobody was left to be told of is unknown. */
  readonly batches: ToldBatch[]
  /** Of bob's records, those in batches before this one. */
  erasedBefore: number | undefined
  isErased: boolean
  /** Records before this sequence may have been trimmed. */
  trimmedBefore: bigint
}

function openLog(disk: SimDisk): FileLog {
  return new FileLog({ folder: '/log', lock: () => ({ [Symbol.dispose]: () => undefined }), clock: new StoppedClock(), files: disk, segmentSizeBytes })
}

/** Different sizes, so that frames and sectors meet in different ways; bob's can be searched for. */
function textOf(index: number): string {
  return `batch ${index} secret ${'.'.repeat((index * 373) % 1_500)}`
}

function databasesOf(index: number): readonly Uint8Array[] {
  return [[sarah], [bob, sarah], [clara, bob, sarah], [bob, bob]][index % 4] ?? []
}

/** Until the end, or until the disk crashes. */
export async function runStory(disk: SimDisk, { appends, atAppend }: StoryOptions): Promise<Story> {
  const story: Story = { batches: [], erasedBefore: undefined, isErased: false, trimmedBefore: 0n }
  const log = openLog(disk)
  while (!disk.isCrashed && !(await succeeds(() => log.acquire()))) {
    // A start that fails is tried again, when somebody has made room.
    disk.capacityBytes = Number.POSITIVE_INFINITY
  }
  const writer = new Writer(log)
  for (let index = 0; index < appends && !disk.isCrashed; index += 1) {
    atAppend?.(index)
    const [text, databases] = [textOf(index), databasesOf(index)]
    const outcome = toldOf(writer.append(text, ...databases), disk)
    story.batches.push({ text, databases, outcome })
    if (index % Math.ceil(appends / 10) === 1) await succeeds(() => log.heartbeat())
    if (index % Math.ceil(appends / 3) === 7) await trim(log, story)
    if (index === Math.floor(appends * 0.75)) await erase(log, story, disk)
  }
  return story
}

function toldOf(outcome: AppendOutcome, disk: SimDisk): ToldBatch['outcome'] {
  // After a crash nobody is told anything.
  if (disk.isCrashed) return 'unknown'
  if ('firstSequence' in outcome) return 'acknowledged'
  if (outcome.failure.code === 'ERR_STORAGE') return 'refused'
  if (outcome.failure.code === 'ERR_COMMIT_UNKNOWN') return 'unknown'
  throw outcome.failure
}

async function trim(log: FileLog, story: Story): Promise<void> {
  const before = log.segments().at(-1)?.firstSequence ?? 0n
  story.trimmedBefore = before
  await succeeds(() => log.trim(before))
}

async function erase(log: FileLog, story: Story, disk: SimDisk): Promise<void> {
  story.erasedBefore = story.batches.length
  const isErased = await succeeds(() => log.erase(bob))
  story.isErased = isErased && !disk.isCrashed
}

/** The disk may refuse everything; nothing else may go wrong. */
async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof HostError && error.code === 'ERR_STORAGE') return false
    throw error
  }
}

/** What is wrong with the log on a disk that this story has left; undefined when all is as it was told. */
export async function problemOf(disk: SimDisk, story: Story): Promise<string | undefined> {
  const log = openLog(disk)
  const { damage, nextSequence } = await log.acquire()
  const found = [...damage, ...(await log.check())]
  if (found.length > 0) return `damage: ${found.map(({ what, firstSequence }) => `${firstSequence} ${what}`).join(', ')}`
  const records = await recordsOf(log)
  const problem = orderProblem(records, nextSequence) ?? batchProblem(records, story) ?? erasureProblem(records, story, disk)
  if (problem !== undefined) return problem
  const chains = new Writer(log)
  if (!('firstSequence' in chains.append('afterwards', uid(9)))) return 'the log takes no more'
  if ((await recordsOf(log, nextSequence)).length !== 1) return 'what was appended afterwards is not there'
  await log.release()
  return undefined
}

function orderProblem(records: readonly LoggedRecord[], nextSequence: bigint): string | undefined {
  const first = records[0]?.sequence ?? nextSequence
  const wrong = records.findIndex(({ sequence }, index) => sequence !== first + BigInt(index))
  if (wrong >= 0) return `record ${wrong} has sequence ${records[wrong]?.sequence}`
  return first + BigInt(records.length) === nextSequence ? undefined : `the last record is not ${nextSequence - 1n}`
}

/** Walks through both in step: the story says which batch each record must, may or must not be of. */
function batchProblem(records: readonly LoggedRecord[], story: Story): string | undefined {
  const lastAcknowledged = story.batches.findLastIndex(({ outcome }) => outcome === 'acknowledged')
  let sequence = 1n
  let at = 0
  for (const [index, batch] of story.batches.entries()) {
    const wanted = batch.databases.length
    const here = records.slice(at, at + wanted)
    const isHere = here.length === wanted && here.every((record, place) => isRecordOf(record, batch, place))
    if (batch.outcome === 'refused') continue
    // One that was followed by an acknowledged one is void.
    if (batch.outcome === 'unknown' && (index < lastAcknowledged || !isHere)) continue
    const isTrimmed = sequence < (records[0]?.sequence ?? story.trimmedBefore) && sequence < story.trimmedBefore
    sequence += BigInt(wanted)
    if (isTrimmed) continue
    if (!isHere)
      return `batch ${index}, ${batch.outcome}, is not there: ${here.map(({ sections }) => Buffer.from(sections).toString().slice(0, 20)).join(' | ')}`
    if (here[0]?.sequence !== sequence - BigInt(wanted)) return `batch ${index} has sequence ${here[0]?.sequence}`
    at += wanted
  }
  return at === records.length ? undefined : `${records.length - at} records too many, from ${records[at]?.sequence}`
}

function isRecordOf({ head, isErased, sections }: LoggedRecord, { text, databases }: ToldBatch, place: number): boolean {
  if (Buffer.compare(head.database, databases[place] ?? uid(0)) !== 0) return false
  return isErased ? head.database[0] === 2 : Buffer.from(sections).toString() === text
}

function erasureProblem(records: readonly LoggedRecord[], story: Story, disk: SimDisk): string | undefined {
  const erasedBefore = story.erasedBefore ?? 0
  const wasWritten = new Set(story.batches.slice(0, erasedBefore).map(({ text }) => text))
  const mine = records.filter(({ head }) => head.database[0] === 2)
  const kept = mine.filter(({ sections, isErased }) => !isErased && wasWritten.has(Buffer.from(sections).toString()))
  const erased = mine.filter(({ isErased }) => isErased)
  if (story.isErased && kept.length > 0) return `${kept.length} records are not erased`
  if (erased.length > 0 && kept.length > 0) return `${erased.length} records are erased and ${kept.length} are not`
  if (erased.length > 0 && story.erasedBefore === undefined) return 'records are erased and nobody has asked'
  if (erased.length === 0) return undefined
  // Batch 3, 7, 11 and so on are of bob alone.
  const texts = story.batches.slice(0, erasedBefore).flatMap(({ text }, index) => (index % 4 === 3 ? [text.split('.')[0] ?? text] : []))
  for (const [path, { content }] of disk.names) {
    const text = texts.find((one) => content.bytes.includes(one))
    if (text !== undefined) return `${path} still holds "${text}"`
  }
  return undefined
}

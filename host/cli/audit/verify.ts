/** Verifies an export or the access log of a data folder, and says the outcome in words. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { JsonWebKey } from 'node:crypto'

import { ChainFollower } from '../../access-log/chain-follower.ts'
import type { AccessProblem } from '../../access-log/chain-follower.ts'
import { isSignedBy } from '../../access-log/checkpoint.ts'
import type { Checkpoint } from '../../access-log/checkpoint.ts'
import { ExportReader } from '../../access-log/export.ts'
import { verifyFolders } from '../../access-log/verify-folder.ts'
import type { Micros } from '../../clock.ts'
import { accessFolder, accessFolders, databaseFolder, databaseFolders } from '../../storage/data-folder.ts'
import { readDatabaseNote } from '../../storage/database-note.ts'
import { usage } from '../exit-code.ts'
import { requireDataFolder } from '../history-command.ts'
import { counted } from '../replay-text.ts'

export interface AuditVerdict {
  readonly what: string
  readonly databases: readonly { readonly name: string; readonly database: string; readonly records: number; readonly last: string }[]
  readonly problems: readonly AccessProblem[]
  readonly notes: readonly string[]
}

export interface VerifyRequest {
  readonly file: string | undefined
  readonly data: string | undefined
  readonly keys: readonly JsonWebKey[] | undefined
  readonly checkpoints: readonly Checkpoint[]
  readonly now: Micros
  readonly onProgress: (line: string) => void
}

export async function verifyAnything(request: VerifyRequest): Promise<AuditVerdict> {
  const { keys, checkpoints } = request
  const forged = keys === undefined ? [] : checkpoints.filter((one) => !isSignedBy(one, keys))
  const problems = forged.map(({ position, at }) => ({
    where: 'the checkpoint',
    position,
    what: `the checkpoint of ${at} is not signed with the key that was given`,
  }))
  const notes = keys === undefined && checkpoints.length > 0 ? ['whether the checkpoints are genuine was not looked at: --key names the public keys'] : []
  const verdict = request.file === undefined ? await verifyFolder(request, request.data ?? '') : await verifyExport(request, request.file)
  return { ...verdict, problems: [...problems, ...verdict.problems], notes: [...notes, ...verdict.notes] }
}

async function verifyExport({ keys, checkpoints }: VerifyRequest, file: string): Promise<AuditVerdict> {
  if (keys === undefined) throw usage('an export is signed: --key names the public keys of its database')
  const reader = new ExportReader(keys, new ChainFollower(checkpoints))
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) reader.read(line)
  const { name, database, records, last, problems } = reader.end()
  return { what: file, databases: [{ name, database, records, last }], problems, notes: [] }
}

async function verifyFolder({ checkpoints, now, onProgress }: VerifyRequest, data: string): Promise<AuditVerdict> {
  const folder = requireDataFolder(data)
  const names = new Map(databaseFolders(folder).flatMap((name) => uidOf(folder, name).map((uid) => [uid, name] as const)))
  const lanes = accessFolders(folder).map((lane) => accessFolder(folder, lane))
  const { databases, problems } = await verifyFolders(lanes, { now, checkpoints, onProgress, isDropped: (uid) => !names.has(uid) })
  const shown = databases.map(({ database, records, last }) => ({ name: names.get(database) ?? '', database, records, last }))
  return { what: folder, databases: shown.filter(({ name }) => name !== ''), problems, notes: droppedNote(shown) }
}

function droppedNote(databases: AuditVerdict['databases']): readonly string[] {
  const dropped = databases.filter(({ name }) => name === '')
  return dropped.length === 0 ? [] : [`${counted(dropped.length, 'database')} of which there are records and no folder: dropped`]
}

function uidOf(data: string, name: string): readonly string[] {
  const id = readDatabaseNote(databaseFolder(data, name))
  return id === undefined ? [] : [Buffer.from(id.uid).toString('hex')]
}

export function verdictLines({ what, databases, problems, notes }: AuditVerdict): readonly string[] {
  const [first] = problems
  return [
    ...problems.slice(0, problemsShownMax).map(({ where, position, what: wrong }) => `${where}${position === null ? '' : `, position ${position}`}: ${wrong}`),
    ...(problems.length > problemsShownMax ? [`… and ${problems.length - problemsShownMax} more: --json has all of them`] : []),
    ...(first === undefined ? [`${what} holds`] : [`${what} does not hold: ${counted(problems.length, 'problem')}`]),
    ...databases.map(
      ({ name, database, records, last }) => `  ${name === '' ? database : name}  ${counted(records, 'record')}, the last one at position ${last}`,
    ),
    ...notes.map((note) => `  ${note}`),
  ]
}

const problemsShownMax = 20

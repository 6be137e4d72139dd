/**
 * What was going on between two times, read from a data folder: which databases, people and sessions, which calls, and
 * what became of each. It is asked after a crash: a call that the access log tells of and the commit log does not have
 * was cut off, and has not happened.
 */
import { readAccess } from '../access-log/access-record.ts'
import type { ReadAccess } from '../access-log/access-record.ts'
import type { Micros } from '../clock.ts'
import { formatTimestamp } from '../clock.ts'
import { identityToBytes } from '../identity.ts'
import type { Identity } from '../identity.ts'
import { LogView } from '../log/log-view.ts'
import { accessFolder, accessFolders, databaseFolders } from '../storage/data-folder.ts'
import { Archive } from './archive.ts'
import { FolderHistory } from './folder-history.ts'
import type { DatabaseHistory } from './folder-history.ts'

export interface Incident {
  readonly from: string
  readonly to: string
  /** Times at which one start of the host ends and the next one begins, as the records of the folder tell. */
  readonly restarts: readonly { readonly lastRecord: string; readonly firstRecord: string }[]
  readonly databases: readonly DatabaseIncident[]
}

export interface DatabaseIncident {
  readonly name: string
  readonly people: readonly string[]
  readonly sessions: readonly string[]
  readonly done: number
  /** Refused calls and reads by the codes of their errors. */
  readonly refused: Readonly<Record<string, number>>
  /** Calls that did not happen after all: their commit failed, or the host ended before it. */
  readonly undone: readonly IncidentCall[]
  /** The last ones before each restart: what was in flight. */
  readonly last: readonly IncidentCall[]
  /** Changes of which the access log has no record: the commit log says who made them. */
  readonly withoutRecord: readonly string[]
}

export interface IncidentCall {
  readonly at: string
  readonly who: string
  readonly event: string
  readonly name: string
  readonly session: string
  readonly outcome: string
}

interface Moment {
  readonly epoch: bigint
  readonly access: ReadAccess
}

const lastShown = 3

/** @throws HostError ERR_LOG_DAMAGED for a log of a later version, and what the files throw. */
export async function incidentBetween(data: string, [from, to]: readonly [Micros, Micros], now: Micros): Promise<Incident> {
  const moments = await momentsOf(data, now)
  const folder = FolderHistory.open(data, now)
  const databases: DatabaseIncident[] = []
  const ends = new Map<bigint, { first: Micros; last: Micros }>()
  for (const name of databaseFolders(data)) {
    const history = folder.find(name)
    if (history === undefined) continue
    const own = moments.get(Buffer.from(history.id.uid).toString('hex')) ?? []
    for (const { epoch, access } of own) {
      const known = ends.get(epoch)
      ends.set(epoch, {
        first: known === undefined || access.at < known.first ? access.at : known.first,
        last: known === undefined || access.at > known.last ? access.at : known.last,
      })
    }
    const within = own.filter(({ access }) => access.at >= from && access.at <= to)
    if (within.length > 0) databases.push(await databaseIncident(history, own, within))
  }
  return { from: formatTimestamp(from), to: formatTimestamp(to), restarts: restartsOf(ends, [from, to]), databases }
}

/** Every record that can be read, by the hex of its database's uid. */
async function momentsOf(data: string, now: Micros): Promise<ReadonlyMap<string, readonly Moment[]>> {
  const found = new Map<string, Moment[]>()
  for (const lane of accessFolders(data)) {
    for await (const chunk of LogView.open(accessFolder(data, lane), now).read(1n)) {
      for (const record of chunk) {
        if (record.isErased) continue
        const uid = Buffer.from(record.head.database).toString('hex')
        const moment = { epoch: record.head.epoch, access: readAccess(record) }
        const known = found.get(uid)
        if (known === undefined) found.set(uid, [moment])
        else known.push(moment)
      }
    }
  }
  return found
}

function restartsOf(ends: ReadonlyMap<bigint, { readonly first: Micros; readonly last: Micros }>, [from, to]: readonly [Micros, Micros]): Incident['restarts'] {
  const sorted = [...ends].toSorted(([left], [right]) => (left < right ? -1 : 1))
  return sorted.flatMap(([, { last }], index) => {
    const next = sorted[index + 1]?.[1].first
    if (next === undefined || next < from || last > to) return []
    return [{ lastRecord: formatTimestamp(last), firstRecord: formatTimestamp(next) }]
  })
}

async function databaseIncident(history: DatabaseHistory, all: readonly Moment[], within: readonly Moment[]): Promise<DatabaseIncident> {
  using archive = await Archive.of(history)
  for await (const record of history.records()) archive.note(record)
  const nameOf = (identity: Identity | null): string => (identity === null ? '' : (archive.login(identityToBytes(identity))?.subject ?? identity))
  const shown = ({ access }: Moment): IncidentCall => shownCall(access, nameOf)
  const calls = within.filter(({ access }) => access.sender !== null)
  const undone = calls.filter((moment) => isUndone(moment, all, history))
  const kept = calls.filter((moment) => !undone.includes(moment))
  const refused: Record<string, number> = {}
  for (const { access } of kept) if (access.outcome !== '') refused[access.outcome] = (refused[access.outcome] ?? 0) + 1
  return {
    name: history.name,
    people: unique(calls.flatMap(({ access }) => [nameOf(access.sender), nameOf(access.actor)])),
    sessions: unique(calls.map(({ access }) => access.session)),
    done: kept.filter(({ access }) => access.outcome === '').length,
    refused,
    undone: undone.map(shown),
    last: lastOfEpochs(calls).map(shown),
    withoutRecord: within.flatMap(({ access }) => (access.event === 'lost' ? [`${access.details['from']} to ${access.details['to']}`] : [])),
  }
}

/** Told of later as undone, or, at the end of what there is, of a position that the commit log has not come to. */
function isUndone({ access }: Moment, all: readonly Moment[], { range }: DatabaseHistory): boolean {
  if (access.event !== 'call' || access.outcome !== '') return false
  const told = all.find(({ access: later }) => later.position > access.position && later.event === 'undone' && covers(later, access.asOf))
  return told !== undefined || access.asOf > (range?.last ?? 0n)
}

function covers({ details }: ReadAccess, position: bigint): boolean {
  return position >= BigInt(details['from'] ?? '0') && position <= BigInt(details['to'] ?? '0')
}

function lastOfEpochs(calls: readonly Moment[]): readonly Moment[] {
  const epochs = [...new Set(calls.map(({ epoch }) => epoch))]
  return epochs.flatMap((epoch) => calls.filter((moment) => moment.epoch === epoch).slice(-lastShown))
}

function shownCall({ at, sender, actor, event, name, session, outcome }: ReadAccess, nameOf: (identity: Identity | null) => string): IncidentCall {
  const who = actor === sender ? nameOf(sender) : `${nameOf(actor)} for ${nameOf(sender)}`
  return { at: formatTimestamp(at), who, event, name, session, outcome }
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => text !== '')
}

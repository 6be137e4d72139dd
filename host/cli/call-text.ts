/** Recorded calls as people read them: a line each, or one with everything that is in its record. */
import type { ShownCall, ShownHead, ShownOperation, ShownPerson, ShownRecord } from '../history/shown-record.ts'
import { operationsShownMax, valueCharactersMax } from './limits.ts'

/** For a table of 80 columns. */
export function callRow({ position, at, reducer, sender, actor, operations, id }: ShownCall): Readonly<Record<string, string>> {
  const who = actor.identity === sender.identity ? nameOf(sender) : `${nameOf(sender)} by ${nameOf(actor)}`
  return { position, at: at.slice(0, 19).replace('T', ' '), reducer, sender: who, rows: String(operations.length), id: id ?? '' }
}

const nameCharactersMax = 16

function nameOf({ identity, login }: ShownPerson): string {
  return cut(login?.subject ?? identity, nameCharactersMax)
}

export function recordLines(database: string, record: ShownRecord): readonly string[] {
  const own = record.kind === 'call' ? callFields(record) : [['what', [record.what]] as const]
  return [`${record.kind} ${record.position} of ${database}  ${record.at}`, ...[...own, ...headFields(record)].flatMap(fieldLines)]
}

/** A field has a line or several; none at all is not shown. */
type Field = readonly [name: string, lines: readonly string[]]

function fieldLines([name, lines]: Field): readonly string[] {
  return lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(9)}  ${line}`)
}

function callFields(call: ShownCall): readonly Field[] {
  const { id, reducer, module, version, sender, actor, assurance, channel, claims, result, fuel, operations } = call
  return [
    ['id', id === null ? [] : [id]],
    ['reducer', [`${reducer} of ${module} v${version}`]],
    ['sender', personLines(sender)],
    ['actor', actor.identity === sender.identity ? [] : personLines(actor)],
    ['assurance', [assurance]],
    ['channel', [channel]],
    ['claims', valueLines(claims)],
    ['arguments', valueLines(call.arguments)],
    ['result', [jsonText(result)]],
    ['fuel', [fuel.toLocaleString('en')]],
    ['rows', operationLines(operations)],
  ]
}

function personLines({ identity, login }: ShownPerson): readonly string[] {
  return login === null ? [identity] : [`${login.subject} of ${login.issuer}`, identity]
}

function operationLines(operations: readonly ShownOperation[]): readonly string[] {
  if (operations.length === 0) return ['none']
  const shown = operations.slice(0, operationsShownMax).flatMap((operation) => [`${operation.kind} ${operation.table}`, ...rowLines(operation).map(indented)])
  return operations.length <= operationsShownMax ? shown : [...shown, `… and ${operations.length - operationsShownMax} more: --json has all of them`]
}

/** Of an update, what a column was stands before what it became. */
export function rowLines({ before, after }: ShownOperation): readonly string[] {
  if (before === undefined || after === undefined) return valueLines(after ?? before ?? {})
  const width = widthOf(after)
  return Object.entries(after).map(([column, value]) => {
    const [was, is] = [jsonText(before[column]), jsonText(value)]
    return `${column.padEnd(width)}  ${was === is ? is : `${was} → ${is}`}`
  })
}

function indented(line: string): string {
  return `  ${line}`
}

function valueLines(values: Readonly<Record<string, unknown>>): readonly string[] {
  const width = widthOf(values)
  return Object.entries(values).map(([name, value]) => `${name.padEnd(width)}  ${jsonText(value)}`)
}

function widthOf(values: Readonly<Record<string, unknown>>): number {
  return Math.max(0, ...Object.keys(values).map((name) => name.length))
}

function headFields({
  moduleHash,
  schemaVersion,
  policyVersion,
  fuelSchedule,
  hostVersion,
  sqliteVersion,
  sequence,
  epoch,
  chain,
}: ShownHead): readonly Field[] {
  return [
    ['module', [moduleHash]],
    ['versions', [`schema ${schemaVersion}, policy ${policyVersion}, fuel ${fuelSchedule}, host ${hostVersion}, SQLite ${sqliteVersion}`]],
    ['record', [`${sequence} of the log, epoch ${epoch}`]],
    ['chain', [chain]],
  ]
}

export function jsonText(value: unknown): string {
  return cut(JSON.stringify(value), valueCharactersMax)
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`
}

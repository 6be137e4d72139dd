/**
 * What a case cannot write down because it differs from run to run: identities, times, the channel;
 * and what would be unreadable: bytes and long texts. A placeholder is an object whose one member begins
 * with $, which no value of the API has.
 */
import assert from 'node:assert/strict'

/** What the placeholders of one case stand for. */
export class Names {
  readonly channel: string
  readonly identities = new Map<string, string>()
  readonly times = new Map<string, string>()
  /** The time of this step where the runner sets it. */
  time: string | undefined

  constructor(channel: string) {
    this.channel = channel
  }
}

interface Placeholder {
  readonly kind: string
  readonly argument: unknown
}

/** The logins that a step names. */
export function identitiesOf(json: unknown): readonly string[] {
  const placeholder = placeholderOf(json)
  if (placeholder !== undefined) return placeholder.kind === '$identity' ? [String(placeholder.argument)] : []
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(identitiesOf) : []
}

/** The arguments that the host gets. */
export function values<T>(json: T, names: Names): T
export function values(json: unknown, names: Names): unknown {
  const placeholder = placeholderOf(json)
  return placeholder === undefined ? mapMembers(json, (one) => values(one, names)) : valueOf(placeholder, names)
}

/**
 * What is expected, with the placeholders filled in. A time that the case names for the first time is
 * whatever the host says, or exactly the runner's clock; from then on it is that time.
 */
export function fill(expected: unknown, actual: unknown, names: Names): unknown {
  const placeholder = placeholderOf(expected)
  if (placeholder === undefined) return mapMembers(expected, (one, key) => fill(one, memberOf(actual, key), names))
  if (placeholder.kind === '$time' && !names.times.has(String(placeholder.argument))) {
    if (typeof actual !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(actual)) return 'a time'
    names.times.set(String(placeholder.argument), names.time ?? actual)
  }
  return valueOf(placeholder, names)
}

function valueOf({ kind, argument }: Placeholder, names: Names): unknown {
  switch (kind) {
    case '$identity':
      return known(names.identities.get(String(argument)), 'login', argument)
    case '$time':
      return known(names.times.get(String(argument)), 'time', argument)
    case '$channel':
      return names.channel
    case '$hex':
      return Buffer.from(String(argument).replaceAll(' ', ''), 'hex').toString('base64')
    case '$repeat': {
      assert(Array.isArray(argument), '$repeat takes a text and a number')
      return String(argument[0]).repeat(Number(argument[1]))
    }
  }
  return assert.fail(`${kind} is no placeholder`)
}

function known(value: string | undefined, what: string, name: unknown): string {
  assert(value !== undefined, `the case has named no ${what} ${String(name)} yet`)
  return value
}

function placeholderOf(json: unknown): Placeholder | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const [member, second] = Object.entries(json)
  return member !== undefined && second === undefined && member[0].startsWith('$') ? { kind: member[0], argument: member[1] } : undefined
}

function mapMembers(json: unknown, map: (member: unknown, key: string) => unknown): unknown {
  if (Array.isArray(json)) return json.map((member, index) => map(member, String(index)))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, map(member, key)]))
}

function memberOf(json: unknown, key: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, key) : undefined
}

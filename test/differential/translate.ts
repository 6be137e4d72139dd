/**
 * Our policies as PostgreSQL's, word by word: the two languages are nearly one. What the host itself has
 * read or printed is used nowhere here, or one mistake could be made on both sides.
 */
import { ASSURANCES } from '../../host/identity.ts'
import { parseTimestamp } from '../../host/clock.ts'
import type { SqlValue } from '../../host/plan/plan.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import type { PolicyDescription } from '../../host/schema/description.ts'

const WORDS = /'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_.]*|-?\d[\d.]*(?:e[+-]?\d+)?|<>|!=|<=|>=|\s+|./giu

const identity = (setting: string): string => `decode(current_setting('app.${setting}'), 'hex')`
const CONTEXT: Readonly<Record<string, string>> = {
  sender: identity('sender'),
  'ctx.sender': identity('sender'),
  actor: identity('actor'),
  channel: "current_setting('app.channel')",
  assurance: "current_setting('app.assurance')::int",
}

export function translated(expression: string): string {
  const words = expression.match(WORDS) ?? []
  let isAssurance = false
  return words
    .map((word, index) => {
      const rank = ASSURANCES.findIndex((one) => word === `'${one}'`)
      if (isAssurance && rank >= 0) return String(rank)
      if (/^(and|or|not|\()$/i.test(word)) isAssurance = false
      if (word === 'assurance') isAssurance = true
      const time = /^'\d{4}-/.test(word) ? parseTimestamp(word.slice(1, -1)) : undefined
      if (time !== undefined) return String(time)
      if (word === 'claim') return "current_setting('app.claims')::jsonb ->> "
      if (word === 'members' && words[index - 1] === '(') return 'select 1 from members'
      return CONTEXT[word] ?? word
    })
    .join('')
    .replaceAll(/->> \('([a-z]+)'\)/g, "->> '$1'")
    .replaceAll(/current_setting\('app\.claims'\)::jsonb ->> '[a-z]+'/g, '($&)')
}

const OPERATIONS = { read: 'SELECT', insert: 'INSERT', update: 'UPDATE', delete: 'DELETE', all: 'ALL' } as const

export function createPolicy(policy: PolicyDescription, name: string): string {
  const { operation, restrictive, expression, check } = policy
  const using = operation === 'insert' ? '' : ` USING (${translated(expression)})`
  const last = operation === 'read' || operation === 'delete' ? '' : ` WITH CHECK (${translated(check ?? expression)})`
  return `CREATE POLICY ${name} ON notes AS ${restrictive ? 'RESTRICTIVE' : 'PERMISSIVE'} FOR ${OPERATIONS[operation]}${using}${last};`
}

/** `@owner`: each row is its owner's, and unless it is settable nobody inserts for another. */
export function ownerPolicies(isSettable: boolean): string {
  const own = `person = ${identity('sender')}`
  const restriction = isSettable ? '' : `CREATE POLICY owner_only ON notes AS RESTRICTIVE FOR INSERT WITH CHECK (${own});`
  return `CREATE POLICY owner ON notes FOR ALL USING (${own}) WITH CHECK (${own});${restriction}`
}

export function settings({ sender, actor, assurance, channel, claims }: PolicyContext): string {
  const values = {
    sender: Buffer.from(sender).toString('hex'),
    actor: Buffer.from(actor).toString('hex'),
    assurance: String(ASSURANCES.indexOf(assurance)),
    channel,
    claims: JSON.stringify(claims),
  }
  return `SELECT ${Object.entries(values)
    .map(([name, value]) => `set_config('app.${name}', ${text(value)}, true)`)
    .join(', ')};`
}

export function literal(value: SqlValue, type: string): string {
  if (value === null) return 'NULL'
  if (type.startsWith('bool')) return value === 1n ? 'true' : 'false'
  if (typeof value === 'bigint') return `'${value}'::bigint`
  if (typeof value === 'number') return `'${value}'::float8`
  return typeof value === 'string' ? text(value) : `'\\x${Buffer.from(value).toString('hex')}'::bytea`
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

export function columnType(type: string): string {
  const types: Readonly<Record<string, string>> = { bool: 'boolean', f64: 'float8', string: 'text', identity: 'bytea' }
  const nullable = type.endsWith('?')
  return `${types[type.replace('?', '')] ?? 'bigint'}${nullable ? '' : ' NOT NULL'}`
}

/** What begins with a backslash: not for the host but for whoever sits before it. Named as psql names them. */
import { usage } from '../exit-code.ts'
import type { DatabaseSchema } from '../database-schema.ts'

export const COMMANDS = [
  { name: '\\d', args: '[table]', what: 'tables; of one its columns, key, owner and policies' },
  { name: '\\explain', args: '[on|off]', what: 'say with each answer how its rows were found, by which policies, and how many were examined' },
  { name: '\\bind', args: '[values…]', what: 'the values of $1, $2 and so on in the statements that follow' },
  { name: '\\?', args: '', what: 'this list' },
  { name: '\\q', args: '', what: 'leave; so does Ctrl-D' },
] as const

export type MetaCommand =
  | { readonly kind: 'describe'; readonly table: string | undefined }
  | { readonly kind: 'explain'; readonly isOn: boolean | undefined }
  | { readonly kind: 'bind'; readonly values: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'quit' }

/** @throws HostError ERR_USAGE */
export function parseMetaCommand(line: string): MetaCommand {
  const [name = '', ...args] = wordsOf(line)
  switch (name) {
    case '\\d':
      return { kind: 'describe', table: args[0] }
    case '\\explain':
      return { kind: 'explain', isOn: args[0] === undefined ? undefined : args[0] === 'on' }
    case '\\bind':
      return { kind: 'bind', values: args }
    case '\\?':
    case '\\h':
    case '\\help':
      return { kind: 'help' }
    case '\\q':
    case '\\quit':
      return { kind: 'quit' }
    default:
      throw usage(`there is no ${name} here: \\? lists what there is`)
  }
}

/** Words between blanks; one with blanks stands in single quotes, and a quote in it is doubled. */
function wordsOf(line: string): readonly string[] {
  return [...line.trim().matchAll(/'((?:[^']|'')*)'|(\S+)/g)].map(([, quoted, plain]) => quoted?.replaceAll("''", "'") ?? plain?.replace(/;$/, '') ?? '')
}

export function helpLines(): readonly string[] {
  const width = Math.max(...COMMANDS.map(({ name, args }) => name.length + args.length))
  return COMMANDS.map(({ name, args, what }) => `${`${name} ${args}`.padEnd(width + 1)}  ${what}`)
}

/** @throws HostError ERR_USAGE for a table that there is not. */
export function describeLines({ tables, policies }: DatabaseSchema, name: string | undefined): readonly string[] {
  if (name === undefined) {
    const width = Math.max(0, ...tables.map((table) => table.name.length))
    return tables.map((table) => `${table.name.padEnd(width)}  ${table.columns.map((column) => column.name).join(', ')}`)
  }
  const table = tables.find((one) => one.name === name.toLowerCase())
  if (table === undefined) throw usage(`there is no table ${name}; there is ${tables.map((one) => one.name).join(', ')}`)
  const width = Math.max(...table.columns.map((column) => column.name.length))
  return [
    ...table.columns.map(
      (column) => `${column.name.padEnd(width)}  ${column.type}${column.name === table.key ? '  key' : ''}${column.name === table.owner ? '  owner' : ''}`,
    ),
    ...policies.filter((policy) => policy.startsWith(`${table.name}: `)).map((policy) => `policy ${policy.slice(table.name.length + 2)}`),
  ]
}

/** remembrancer schema: what runs in a database, as the host read it from the module. */
import type { Command } from 'commander'

import { fetchSchema } from '../database-schema.ts'
import type { DatabaseSchema } from '../database-schema.ts'
import { grantText } from '../grant-text.ts'
import { connect, hostCommand } from '../host-command.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

export function schemaCommand(terminal: Terminal): Command {
  return hostCommand('schema', 'tables, reducers and grants of the running module').action(async (options: TargetOptions) => {
    const { client, target } = connect(options)
    const schema = await fetchSchema(client, requireDatabase(target))
    terminal.result(schema, schemaLines(schema))
  })
}

function schemaLines({ module, version, tables, policies, reducers, grants }: DatabaseSchema): readonly string[] {
  return [
    `${module} v${version}`,
    ...tables.flatMap(({ name, columns, key, owner }) => [
      '',
      `table ${name}`,
      ...columns.map((column) => `  ${column.name}: ${column.type}${column.name === key ? '  key' : ''}${column.name === owner ? '  owner' : ''}`),
    ]),
    ...(policies.length === 0 ? [] : ['', ...policies.map((policy) => `policy ${policy}`)]),
    '',
    ...reducers.map(({ name, kind, params, result }) => `${kind} ${name}(${params.map((param) => `${param.name}: ${param.type}`).join(', ')}): ${result}`),
    '',
    grantText(grants),
  ]
}

/**
 * Phase 2: the declarations are judged and become the ModuleModel. What the host would refuse at
 * publish is refused here first, where it has a file and a line.
 */
import type { Node } from 'assemblyscript'

import { ACCESS_LOG_TABLE } from '../../host/schema/names.ts'
import { checkAgents } from './check-agent.ts'
import { exposeName, refuseDoubles } from './check-names.ts'
import type { ExposedName } from './check-names.ts'
import { checkRecord } from './check-record.ts'
import { checkReducer } from './check-reducer.ts'
import { checkTable } from './check-table.ts'
import type { Declarations, DeclaredClass, ModuleModel } from './model.ts'
import type { Problems } from './problems.ts'
import { literalOf } from './syntax.ts'

export function check({ agents, classes, functions }: Declarations, problems: Problems): ModuleModel {
  refuseEqualClasses(classes, problems)
  const tables = classes.filter((one) => one.kind === 'table').map((declared) => ({ declared, exposed: tableName(declared, problems) }))
  const records = classes.filter((one) => one.kind === 'record').map((declared) => ({ declared, exposed: className(declared, problems) }))
  const reducers = functions.map((declared) => ({ declared, exposed: functionName(declared, problems) }))
  for (const [what, list] of [
    ['tables', tables],
    ['records', records],
    ['reducers', reducers],
  ] as const) {
    refuseDoubles(
      what,
      list.map(({ exposed }) => exposed),
      problems,
    )
  }
  const known = {
    tables: new Map(tables.map(({ declared, exposed }) => [declared.className, exposed.name])),
    records: new Map(records.map(({ declared, exposed }) => [declared.className, exposed.name])),
  }
  const model = {
    tables: tables.map(({ declared, exposed }) => checkTable(declared, exposed.name, problems)).filter((table) => table !== undefined),
    records: records.map(({ declared, exposed }) => checkRecord(declared, exposed.name, known, problems)),
    reducers: reducers.map(({ declared, exposed }) => checkReducer(declared, exposed.name, known, problems)),
  }
  return { ...model, agents: checkAgents(agents, model, problems) }
}

/** Types are matched by the name of their class, so that one name means one class in all files. */
function refuseEqualClasses(classes: readonly DeclaredClass[], problems: Problems): void {
  refuseDoubles(
    'classes',
    classes.map((one) => ({ name: one.className, written: `class ${one.className}`, node: one.node.name })),
    problems,
  )
}

/** A table is called as its decorator says. */
function tableName(declared: DeclaredClass, problems: Problems): ExposedName {
  const decorator = declared.decorators.find((one) => one.name === 'table')
  const argument = decorator?.args[0]
  const given = argument === undefined ? undefined : literalOf(argument)
  if (typeof given === 'string' && decorator?.args.length === 1) {
    if (given === ACCESS_LOG_TABLE) problems.error(argument ?? declared.node.name, `@table("${given}"): this is the host's own table; choose another name`)
    return exposeName(given, argument ?? declared.node.name, `@table(${JSON.stringify(given)})`, problems)
  }
  problems.error(decorator?.node ?? declared.node.name, `${declared.className}: @table takes the table's name, @table("turns")`)
  return className(declared, problems)
}

function className(declared: DeclaredClass, problems: Problems): ExposedName {
  return exposeName(declared.className, declared.node.name, `class ${declared.className}`, problems)
}

function functionName(declared: { readonly functionName: string; readonly node: { readonly name: Node } }, problems: Problems): ExposedName {
  return exposeName(declared.functionName, declared.node.name, `function ${declared.functionName}`, problems)
}

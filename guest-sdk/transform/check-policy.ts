/**
 * The @policy decorators of a table, and what they mean: the host reads and checks their expressions, so
 * that the author learns at once what a publish would refuse.
 */
import type { Node } from 'assemblyscript'

import { checkPolicies, pointAt } from '../../host/policy/check-policies.ts'
import type { PolicyModule } from '../../host/policy/check-policies.ts'
import { POLICY_OPERATIONS } from '../../host/schema/description.ts'
import type { PolicyDescription, TableDescription } from '../../host/schema/description.ts'
import { snakeCase } from '../../host/schema/names.ts'
import { emptySchema, planSchema } from '../../host/schema/schema.ts'
import { parseValueType } from '../../host/value-type.ts'
import type { DeclaredClass, Decorator, ModelPolicy, ModelReducer, ModelTable, ModuleModel } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { IN_NAME, literalOf, membersOf, textOf, textsOf } from './syntax.ts'

/** What the compiler reads in place of `in`. */
const IN_MEMBER = /(?<=[{,]\s*)_n(?=\s*:)/
const SHAPE = '@policy("read", "expression", { in: ["reducer"], restrictive: true, check: "expression" })'

export function readPolicies(declared: DeclaredClass, problems: Problems): readonly ModelPolicy[] {
  return declared.decorators.filter((one) => one.name === 'policy').flatMap((decorator) => readPolicy(declared.className, decorator, problems) ?? [])
}

function readPolicy(className: string, { args, node }: Decorator, problems: Problems): ModelPolicy | undefined {
  const [operation, expression, options, more] = args
  const [said, text] = [operation, expression].map((one) => (one === undefined ? undefined : literalOf(one)))
  if (operation === undefined || expression === undefined || more !== undefined || typeof said !== 'string' || typeof text !== 'string') {
    problems.error(node, `${className}: a policy is written ${SHAPE}, the last part only where it is needed`)
    return undefined
  }
  if (!isOperation(said)) {
    problems.error(operation, `${className}: @policy(${textOf(operation)})${suggestion(said, POLICY_OPERATIONS)}; allowed: ${POLICY_OPERATIONS.join(', ')}`)
    return undefined
  }
  const read = readOptions(className, options, problems)
  return { operation: said, expression: text, ...read, nodes: { expression, check: expression, in: expression, ...read.nodes } }
}

function isOperation(text: string): text is PolicyDescription['operation'] {
  return POLICY_OPERATIONS.some((one) => one === text)
}

type Options = Pick<ModelPolicy, 'check' | 'isRestrictive' | 'reducers'> & { readonly nodes: Partial<ModelPolicy['nodes']> }

function readOptions(className: string, node: Node | undefined, problems: Problems): Options {
  const members = node === undefined ? new Map<string, Node>() : membersOf(node)
  const [check, restrictive, reducers] = ['check', 'restrictive', IN_NAME].map((name) => members?.get(name))
  const values = {
    check: check === undefined ? undefined : literalOf(check),
    restrictive: restrictive === undefined ? false : literalOf(restrictive),
    reducers: reducers === undefined ? undefined : textsOf(reducers),
  }
  const known = [check, restrictive, reducers].filter((one) => one !== undefined).length
  const isSound =
    members?.size === known &&
    (check === undefined || typeof values.check === 'string') &&
    typeof values.restrictive === 'boolean' &&
    (reducers === undefined || (values.reducers?.length ?? 0) > 0)
  if (!isSound && node !== undefined) problems.error(node, `${className}: a policy is written ${SHAPE}, not with ${textOf(node).replace(IN_MEMBER, 'in')}`)
  return {
    check: typeof values.check === 'string' ? values.check : undefined,
    isRestrictive: values.restrictive === true,
    reducers: values.reducers?.map(snakeCase),
    nodes: { ...(check === undefined ? {} : { check }), ...(reducers === undefined ? {} : { in: reducers }) },
  }
}

/** Once everything else is right: the expressions, against the tables and reducers of the whole module. */
export function refusePolicies(model: ModuleModel, problems: Problems): void {
  const tables = model.tables.map(describeTable)
  const reducers = model.reducers.map(describeReducer)
  const { schema } = planSchema(emptySchema, { sdk: '', module: '', records: [], reducers: [], agents: [], tables })
  for (const { table, policy, part, message, at } of checkPolicies({ tables, reducers }, schema).problems) {
    const found = model.tables.find((one) => one.name === table)
    const written = found?.policies[policy]
    if (found === undefined || written === undefined) throw new Error('a problem is one of the policies that were checked')
    const text = part === 'check' ? (written.check ?? '') : written.expression
    const place = at === undefined ? '' : `\n${pointAt(text, at)}`
    problems.error(written.nodes[part], `${found.className}: @policy("${written.operation}"): ${message}${place}`)
  }
}

function describeTable(table: ModelTable): TableDescription {
  return {
    name: table.name,
    columns: table.columns.map(({ name, type }) => {
      const known = parseValueType(type.format)
      if (known?.kind !== 'scalar') throw new Error('a column has a scalar type')
      return { name, type: known, default: undefined }
    }),
    key: table.key.name,
    autoIncrement: table.isAutoIncrement,
    owner: table.owner?.name,
    ownerSettable: table.isOwnerSettable,
    subject: table.subject?.name,
    audit: table.isStrictlyAudited ? 'strict' : undefined,
    policies: table.policies.map(({ operation, expression, check, isRestrictive, reducers }) => ({
      operation,
      expression,
      check,
      restrictive: isRestrictive,
      in: reducers,
    })),
    readableByPolicies: table.isReadableByPolicies,
    clustered: table.clustered,
    uniques: table.uniques,
    indexes: table.indexes,
  }
}

function describeReducer({ name, parameters }: ModelReducer): PolicyModule['reducers'][number] {
  return { name, tables: parameters.flatMap((one) => (one.kind === 'handle' ? [{ table: one.handle.table, mode: one.handle.mode }] : [])) }
}

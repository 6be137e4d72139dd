/**
 * Phase 1: which classes and functions of the module's own files are declared to the host. Only
 * decorators are looked at here; `check` judges what is behind them.
 */
import { ClassDeclaration, FieldDeclaration, FunctionDeclaration, IdentifierExpression } from 'assemblyscript'
import type { DeclarationStatement, DecoratorNode, Source } from 'assemblyscript'

import type { Declarations, DeclaredAgent, DeclaredClass, DeclaredField, DeclaredFunction, Decorator, ReducerKind } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { DEFAULT_NAME, isExported } from './syntax.ts'

const CLASS_DECORATORS = ['table', 'record', 'index', 'unique', 'clustered', 'policy', 'readableByPolicies', 'audit', 'agent']
const FIELD_DECORATORS = ['autoIncrement', 'primaryKey', 'owner', 'subject', 'index', 'unique', 'default']
const FUNCTION_DECORATORS = ['reducer', 'query', 'init', 'hook']
const WITHOUT_ARGUMENTS = ['record', 'readableByPolicies', 'autoIncrement', 'subject', ...FUNCTION_DECORATORS]
/** Decorators that AssemblyScript itself gives a meaning to. */
const LANGUAGE_DECORATORS = ['inline', 'final', 'unmanaged', 'lazy', 'unsafe', 'operator']

/** The file whose exports would be reducers and queries. */
const INDEX_FILE = 'index.ts'

export function collect(sources: readonly Source[], problems: Problems): Declarations {
  const classes: DeclaredClass[] = []
  const functions: DeclaredFunction[] = []
  const agents: DeclaredAgent[] = []
  for (const source of sources) {
    for (const statement of source.statements) {
      if (statement instanceof ClassDeclaration) {
        const declared = collectClass(source, statement, problems)
        if (declared === undefined) continue
        if ('decorator' in declared) agents.push(declared)
        else classes.push(declared)
      } else if (statement instanceof FunctionDeclaration) {
        const declared = collectFunction(source, statement, problems)
        if (declared !== undefined) functions.push(declared)
      }
    }
  }
  return { agents, classes, functions }
}

function collectClass(source: Source, node: ClassDeclaration, problems: Problems): DeclaredClass | DeclaredAgent | undefined {
  const decorators = decoratorsOf(node, node.name.text, CLASS_DECORATORS, problems)
  const isTable = decorators.some((one) => one.name === 'table')
  const isRecord = decorators.some((one) => one.name === 'record')
  const decorator = decorators.find((one) => one.name === 'agent')
  if (decorator !== undefined) {
    if (decorators.length > 1 || node.members.length > 0)
      problems.error(node.name, `${node.name.text}: a class with @agent has no members and no other decorator`)
    return { className: node.name.text, node, decorator }
  }
  if (!isTable && !isRecord) {
    for (const stray of decorators.filter((one) => CLASS_DECORATORS.includes(one.name))) {
      problems.error(stray.node, `${node.name.text}: @${stray.name} stands on a class with @table only`)
    }
    return undefined
  }
  if (isTable && isRecord) problems.error(node.name, `${node.name.text}: a class is a @table or a @record, not both`)
  const fields = node.members.filter((member) => member instanceof FieldDeclaration).map((field) => collectField(field, node, problems))
  return { kind: isTable ? 'table' : 'record', className: node.name.text, source, node, decorators, fields }
}

function collectField(node: FieldDeclaration, owner: ClassDeclaration, problems: Problems): DeclaredField {
  const decorators = decoratorsOf(node, `${owner.name.text}.${node.name.text}`, FIELD_DECORATORS, problems)
  return { node, decorators }
}

function collectFunction(source: Source, node: FunctionDeclaration, problems: Problems): DeclaredFunction | undefined {
  const decorators = decoratorsOf(node, node.name.text, FUNCTION_DECORATORS, problems)
  const [first, second] = decorators.filter((one) => isReducerKind(one.name))
  if (first === undefined) {
    const isPlain = decorators.every((one) => LANGUAGE_DECORATORS.includes(one.name))
    if (isPlain && isExported(node) && source.normalizedPath === INDEX_FILE) problems.warn(node.name, forgottenDecorator(node.name.text))
    return undefined
  }
  if (second !== undefined) problems.error(second.node, `${node.name.text}: one of ${list(FUNCTION_DECORATORS)}, not two`)
  const kind = isReducerKind(first.name) ? first.name : 'reducer'
  return { kind, functionName: node.name.text, source, node, decorators }
}

/** Other files export what index.ts imports; what index.ts exports is for callers. */
function forgottenDecorator(name: string): string {
  return `${name}: exported without a decorator, so that nobody can call it; ${list(FUNCTION_DECORATORS)}, or no export`
}

function isReducerKind(name: string): name is ReducerKind {
  return FUNCTION_DECORATORS.includes(name)
}

function decoratorsOf(node: DeclarationStatement, where: string, allowed: readonly string[], problems: Problems): Decorator[] {
  const decorators = (node.decorators ?? []).map(readDecorator)
  for (const { name, args, node: place } of decorators) {
    if (!allowed.includes(name) && !LANGUAGE_DECORATORS.includes(name)) problems.error(place, unknownDecorator(name, where, allowed))
    else if (WITHOUT_ARGUMENTS.includes(name) && args.length > 0) problems.error(place, `${where}: @${name} takes no arguments`)
  }
  return decorators
}

function unknownDecorator(name: string, where: string, allowed: readonly string[]): string {
  return `${where}: @${name} is no decorator here${suggestion(name, allowed, '@')}; allowed: ${list(allowed)}`
}

function readDecorator(node: DecoratorNode): Decorator {
  const written = node.name instanceof IdentifierExpression ? node.name.text : '?'
  return { name: written === DEFAULT_NAME ? 'default' : written, args: node.args ?? [], node }
}

function list(names: readonly string[]): string {
  return names.map((name) => `@${name}`).join(', ')
}

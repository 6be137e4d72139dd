/** A @reducer, @query, @init or @hook: its signature is its grant. */
import type { ParameterNode, TypeNode } from 'assemblyscript'

import { exposeParameterName, refuseDoubles } from './check-names.ts'
import type { ExposedName } from './check-names.ts'
import type { DeclaredFunction, ModelHandle, ModelReducer, WireType } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { commentAbove, genericOf, isExported, plainName, textOf } from './syntax.ts'
import { VALUE_TYPES, valueType } from './wire-type.ts'
import type { KnownClasses } from './wire-type.ts'

const MODES: ReadonlyMap<string, ModelHandle['mode']> = new Map([
  ['Reader', 'read'],
  ['Appender', 'append'],
  ['Writer', 'write'],
])

export function checkReducer(declared: DeclaredFunction, name: string, known: KnownClasses, problems: Problems): ModelReducer {
  return new ReducerCheck(declared, name, known, problems).run()
}

class ReducerCheck {
  readonly #declared: DeclaredFunction
  readonly #name: string
  readonly #known: KnownClasses
  readonly #problems: Problems
  readonly #valueNames: ExposedName[] = []
  readonly #tables = new Map<string, string>()

  constructor(declared: DeclaredFunction, name: string, known: KnownClasses, problems: Problems) {
    this.#declared = declared
    this.#name = name
    this.#known = known
    this.#problems = problems
  }

  run(): ModelReducer {
    const { functionName, kind, node, source } = this.#declared
    this.#checkShape()
    const [context, ...rest] = node.signature.parameters
    if (context === undefined || plainName(context.type) !== 'Context') {
      this.#problems.error(context ?? node.name, `${functionName}: the first parameter is ctx: Context`)
    }
    const parameters = (context !== undefined && plainName(context.type) !== 'Context' ? [context, ...rest] : rest).map((one) => this.#parameter(one))
    refuseDoubles(`parameters of ${functionName}`, this.#valueNames, this.#problems)
    return { functionName, name: this.#name, kind, source, parameters, result: this.#result(), comment: commentAbove(node) }
  }

  #checkShape(): void {
    const { functionName, kind, node } = this.#declared
    if (!isExported(node)) this.#problems.error(node.name, `${functionName}: a @${kind} is exported; write export function ${functionName}`)
    if (node.isGeneric) this.#problems.error(node.name, `${functionName}: a @${kind} has no type parameters`)
  }

  #parameter(node: ParameterNode): ModelReducer['parameters'][number] {
    const where = `${this.#declared.functionName}(${node.name.text})`
    // ParameterKind.Default is 0: neither optional nor rest.
    if (node.initializer !== null || node.parameterKind !== 0)
      this.#problems.error(node, `${where}: every parameter is given; use \`| null\` or Nullable<…> for what may be absent`)
    const generic = genericOf(node.type)
    const mode = generic === undefined ? undefined : MODES.get(generic.name)
    return generic !== undefined && mode !== undefined
      ? { kind: 'handle', handle: this.#handle(node, where, generic.argument, mode) }
      : this.#value(node, where)
  }

  #handle(node: ParameterNode, where: string, argument: TypeNode, mode: ModelHandle['mode']): ModelHandle {
    const className = textOf(argument)
    const table = this.#known.tables.get(className)
    const kind = this.#declared.kind
    if (table === undefined) {
      const tables = [...this.#known.tables.keys()]
      this.#problems.error(argument, `${where}: ${className} is no @table class${suggestion(className, tables)}; allowed: ${tables.join(', ') || 'none yet'}`)
    } else {
      const other = this.#tables.get(className)
      if (other !== undefined) this.#problems.error(node, `${where}: ${className} is taken twice, this and ${other}; one Writer reads and writes`)
      this.#tables.set(className, node.name.text)
    }
    if (kind === 'query' && mode !== 'read') {
      this.#problems.error(node.type, `${where}: a @query only reads; take a Reader<${className}>, or make the function a @reducer`)
    }
    return { table: table ?? '', mode, text: textOf(node.type) }
  }

  #value(node: ParameterNode, where: string): ModelReducer['parameters'][number] {
    if (this.#declared.kind === 'init') this.#problems.error(node, `${where}: @init runs at the first publish and takes no arguments`)
    const type = valueType(node.type, this.#known)
    if (type === undefined)
      this.#problems.error(node.type, `${where}: ${textOf(node.type)} cannot be a parameter; allowed: ${VALUE_TYPES}, and Reader, Appender, Writer`)
    const exposed = exposeParameterName(node.name.text, node.name, where, this.#problems)
    this.#valueNames.push(exposed)
    return { kind: 'value', name: exposed.name, type: type ?? { text: 'bool', format: 'bool' } }
  }

  #result(): WireType {
    const { functionName, node } = this.#declared
    const { returnType } = node.signature
    if (plainName(returnType) === 'void') return { text: 'void', format: 'void' }
    const type = valueType(returnType, this.#known)
    if (type === undefined)
      this.#problems.error(returnType, `${functionName}: ${textOf(returnType) || 'nothing'} cannot be a result; allowed: void, ${VALUE_TYPES}`)
    return type ?? { text: 'void', format: 'void' }
  }
}

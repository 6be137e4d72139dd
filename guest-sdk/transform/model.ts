/**
 * What the phases hand to each other. `collect` finds declarations, `check` turns them into the
 * ModuleModel, and codec, exports and manifest only read that.
 */
import type { ClassDeclaration, FieldDeclaration, FunctionDeclaration, Node, Source } from 'assemblyscript'

import type { AgentDescription } from '../../host/schema/agent.ts'
import type { PolicyOperation } from '../../host/schema/description.ts'

/** A decorator with what stands between its parentheses. */
export interface Decorator {
  readonly name: string
  readonly args: readonly Node[]
  readonly node: Node
}

export interface DeclaredClass {
  readonly kind: 'table' | 'record'
  /** As the author wrote it, and unique in a module. */
  readonly className: string
  readonly source: Source
  readonly node: ClassDeclaration
  readonly decorators: readonly Decorator[]
  readonly fields: readonly DeclaredField[]
}

export interface DeclaredField {
  readonly node: FieldDeclaration
  readonly decorators: readonly Decorator[]
}

export type ReducerKind = 'reducer' | 'query' | 'init' | 'hook'

export interface DeclaredFunction {
  readonly kind: ReducerKind
  readonly functionName: string
  readonly source: Source
  readonly node: FunctionDeclaration
  readonly decorators: readonly Decorator[]
}

/** A class with @agent: a name for what the host's session needs to know. */
export interface DeclaredAgent {
  readonly className: string
  readonly node: ClassDeclaration
  readonly decorator: Decorator
}

export interface Declarations {
  readonly agents: readonly DeclaredAgent[]
  readonly classes: readonly DeclaredClass[]
  readonly functions: readonly DeclaredFunction[]
}

/** A type as the author wrote it (`text`) and as the row format names it (`format`). */
export interface WireType {
  readonly text: string
  readonly format: string
}

/** A column or a record's field. */
export interface ModelField {
  readonly fieldName: string
  readonly name: string
  readonly type: WireType
}

export interface ModelColumn extends ModelField {
  /** JSON of the description, and the author's expression for the constructor. */
  readonly default: { readonly json: string; readonly text: string } | undefined
}

/** A @policy as the author wrote it, reducers by the host's names. */
export interface ModelPolicy {
  readonly operation: PolicyOperation
  readonly expression: string
  readonly check: string | undefined
  readonly isRestrictive: boolean
  readonly reducers: readonly string[] | undefined
  /** Where each part stands, for what is wrong with it. */
  readonly nodes: Readonly<Record<'expression' | 'check' | 'in', Node>>
}

export interface ModelTable {
  readonly className: string
  readonly name: string
  readonly source: Source
  readonly node: ClassDeclaration
  readonly columns: readonly ModelColumn[]
  readonly key: ModelColumn
  readonly isAutoIncrement: boolean
  readonly owner: ModelColumn | undefined
  readonly isOwnerSettable: boolean
  readonly subject: ModelColumn | undefined
  readonly isStrictlyAudited: boolean
  readonly policies: readonly ModelPolicy[]
  readonly isReadableByPolicies: boolean
  readonly clustered: readonly string[]
  readonly uniques: readonly { readonly columns: readonly string[]; readonly global: boolean }[]
  readonly indexes: readonly { readonly columns: readonly string[] }[]
}

export interface ModelRecord {
  readonly className: string
  readonly name: string
  readonly source: Source
  readonly node: ClassDeclaration
  readonly fields: readonly ModelField[]
}

export interface ModelHandle {
  readonly table: string
  readonly mode: 'read' | 'append' | 'write'
  readonly text: string
}

export interface ModelReducer {
  readonly functionName: string
  readonly name: string
  readonly kind: ReducerKind
  readonly source: Source
  /** In the order of the signature after the context: handles and values may be mixed. */
  readonly parameters: readonly (
    | { readonly kind: 'handle'; readonly handle: ModelHandle }
    | { readonly kind: 'value'; readonly name: string; readonly type: WireType }
  )[]
  readonly result: WireType
  /** What its author wrote above it. */
  readonly comment: string
}

export interface ModuleModel {
  readonly tables: readonly ModelTable[]
  readonly records: readonly ModelRecord[]
  readonly reducers: readonly ModelReducer[]
  readonly agents: readonly AgentDescription[]
}

/**
 * The language of policies as its parser reads it: a tree that knows no tables and no types yet. `at` is
 * a place in the text, so that whoever finds something wrong can point at it.
 *
 *   exists(members where members.team = notes.team and members.person = sender)
 *   or claim('role') = 'admin' and assurance >= 'provider'
 */
import type { Operator } from '../plan/plan.ts'

interface Placed {
  /** Offset in UTF-16 units. */
  readonly at: number
}

export type Syntax = Placed &
  (
    | { readonly kind: 'literal'; readonly value: string | bigint | number | boolean | null }
    | { readonly kind: 'name'; readonly qualifier: string | undefined; readonly name: string }
    | { readonly kind: 'claim'; readonly name: string }
    | { readonly kind: 'compare'; readonly operator: Operator; readonly left: Syntax; readonly right: Syntax }
    | { readonly kind: 'in'; readonly operand: Syntax; readonly items: readonly Syntax[] }
    | { readonly kind: 'is-null'; readonly operand: Syntax }
    | { readonly kind: 'not'; readonly term: Syntax }
    | { readonly kind: 'and' | 'or'; readonly terms: readonly Syntax[] }
    | { readonly kind: 'exists'; readonly table: string; readonly alias: string; readonly where: Syntax }
  )

/** What is wrong with an expression, and where: never leaves this folder without its text. */
export class ExpressionError extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

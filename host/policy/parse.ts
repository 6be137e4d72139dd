/**
 * Text to tree, by descent: `or` binds least, then `and`, `not`, and comparisons. Words of the language
 * are written in any case. Size and depth are bounded, because a policy can come from a hostile module.
 *
 *   or        = and { "or" and }
 *   and       = not { "and" not }
 *   not       = "not" not | predicate
 *   predicate = operand [ sign operand | "is" ["not"] "null" | ["not"] "in" "(" operand { "," operand } ")" ]
 *   operand   = literal | name ["." name] | "claim" "(" text ")" | "(" or ")"
 *             | "exists" "(" name ["as" name] "where" or ")"
 */
import * as limits from '../limits.ts'
import type { Operator } from '../plan/plan.ts'
import { ExpressionError } from './syntax.ts'
import type { Syntax } from './syntax.ts'
import { tokensOf } from './tokens.ts'
import type { Token } from './tokens.ts'

/** @throws ExpressionError at the first place that cannot be read. */
export function parseExpression(text: string): Syntax {
  if (text.length > limits.policySizeMax) {
    throw new ExpressionError(`an expression of ${text.length} characters: at most ${limits.policySizeMax}`, limits.policySizeMax)
  }
  return new ExpressionParser(tokensOf(text)).whole()
}

const OPERATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>='])
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])
/** Words that end or join an operand, and so cannot be one. */
const JOINING: ReadonlySet<string> = new Set(['and', 'or', 'not', 'is', 'in', 'where', 'as'])

class ExpressionParser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0
  #looks = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Syntax {
    const tree = this.#or()
    const rest = this.#peek()
    if (rest.kind !== 'end') throw new ExpressionError('the expression has ended here: join what follows with and, or', rest.at)
    return tree
  }

  #or(): Syntax {
    return this.#joined('or', () => this.#joined('and', () => this.#not()))
  }

  #joined(kind: 'and' | 'or', term: () => Syntax): Syntax {
    const { at } = this.#peek()
    const first = term()
    if (!this.#takeWord(kind)) return first
    const terms = [first]
    do terms.push(term())
    while (this.#takeWord(kind))
    return { kind, terms, at }
  }

  #not(): Syntax {
    const { at } = this.#peek()
    return this.#takeWord('not') ? this.#deeper(at, () => ({ kind: 'not', term: this.#not(), at })) : this.#predicate()
  }

  #predicate(): Syntax {
    const operand = this.#operand()
    const { at } = this.#peek()
    const operator = this.#takeOperator()
    if (operator !== undefined) return { kind: 'compare', operator, left: operand, right: this.#operand(), at }
    if (this.#takeWord('is')) {
      const isNegated = this.#takeWord('not')
      this.#requireWord('null', 'is null, or is not null')
      return negatedIf(isNegated, { kind: 'is-null', operand, at })
    }
    const isNegated = this.#takeWord('not')
    if (this.#takeWord('in')) return negatedIf(isNegated, { kind: 'in', operand, items: this.#list(), at })
    if (isNegated) throw new ExpressionError('after a value, not is followed by in', this.#peek().at)
    return operand
  }

  #list(): readonly Syntax[] {
    this.#requireSign('(')
    const items = [this.#operand()]
    while (this.#takeSign(',')) items.push(this.#operand())
    this.#requireSign(')')
    return items
  }

  #operand(): Syntax {
    const token = this.#peek()
    const { at } = token
    if (token.kind === 'end') throw new ExpressionError('the expression ends where a value is expected', at)
    this.#next++
    if (token.kind === 'literal') return { kind: 'literal', value: token.value, at }
    if (token.kind === 'sign') {
      if (token.text !== '(') throw new ExpressionError('a value is expected here', at)
      return this.#deeper(at, () => this.#closed(() => this.#or()))
    }
    const word = token.text.toLowerCase()
    const constant = CONSTANTS.get(word)
    if (constant !== undefined) return { kind: 'literal', value: constant, at }
    if (JOINING.has(word)) throw new ExpressionError(`a value is expected here, not ${word}`, at)
    if (word === 'exists' && this.#takeSign('(')) return this.#deeper(at, () => this.#closed(() => this.#exists(at)))
    if (word === 'claim' && this.#takeSign('(')) return this.#closed(() => this.#claim(at))
    return this.#takeSign('.')
      ? { kind: 'name', qualifier: token.text, name: this.#name('a column'), at }
      : { kind: 'name', qualifier: undefined, name: token.text, at }
  }

  #exists(at: number): Syntax {
    if (++this.#looks > limits.policyLooksMax) throw new ExpressionError(`an expression looks into at most ${limits.policyLooksMax} tables`, at)
    const table = this.#name('a table')
    const alias = this.#takeWord('as') ? this.#name('another name for the table') : table
    this.#requireWord('where', 'where, and of which of its rows')
    return { kind: 'exists', table, alias, where: this.#or(), at }
  }

  #claim(at: number): Syntax {
    const token = this.#peek()
    if (token.kind !== 'literal' || typeof token.value !== 'string') throw new ExpressionError("a claim is named by a text, claim('role')", token.at)
    this.#next++
    return { kind: 'claim', name: token.value, at }
  }

  #closed(inner: () => Syntax): Syntax {
    const tree = inner()
    this.#requireSign(')')
    return tree
  }

  #deeper(at: number, inner: () => Syntax): Syntax {
    if (++this.#depth > limits.policyDepthMax) throw new ExpressionError(`nested deeper than ${limits.policyDepthMax}`, at)
    const tree = inner()
    this.#depth--
    return tree
  }

  #name(what: string): string {
    const token = this.#peek()
    const isName = token.kind === 'word' && !JOINING.has(token.text.toLowerCase()) && !CONSTANTS.has(token.text.toLowerCase())
    if (!isName) throw new ExpressionError(`${what} is expected here`, token.at)
    this.#next++
    return token.text
  }

  #peek(): Token {
    const token = this.#tokens[this.#next]
    // The last token is the end, and nothing takes it.
    if (token === undefined) throw new Error('the end of an expression was taken')
    return token
  }

  #takeWord(word: string): boolean {
    const token = this.#peek()
    const isTaken = token.kind === 'word' && token.text.toLowerCase() === word
    if (isTaken) this.#next++
    return isTaken
  }

  #takeSign(sign: string): boolean {
    const token = this.#peek()
    const isTaken = token.kind === 'sign' && token.text === sign
    if (isTaken) this.#next++
    return isTaken
  }

  #takeOperator(): Operator | undefined {
    const token = this.#peek()
    if (token.kind !== 'sign' || !isOperator(token.text)) return undefined
    this.#next++
    return token.text
  }

  #requireWord(word: string, expected: string): void {
    if (!this.#takeWord(word)) throw new ExpressionError(`${expected} is expected here`, this.#peek().at)
  }

  #requireSign(sign: string): void {
    if (!this.#takeSign(sign)) throw new ExpressionError(`${sign} is expected here`, this.#peek().at)
  }
}

function isOperator(text: string): text is Operator {
  return OPERATORS.has(text)
}

function negatedIf(isNegated: boolean, term: Syntax): Syntax {
  return isNegated ? { kind: 'not', term, at: term.at } : term
}

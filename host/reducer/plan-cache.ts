/**
 * The printed statements of one database, kept from publish to publish: a scan's shape is planned once
 * for as long as neither the schema nor the policies change. Texts only: what SQLite has prepared is
 * kept by the file, of those used last.
 */
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'
import type { Statement } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import type { Printed } from '../plan/printer.ts'
import type { CompiledStatement } from '../sql/compile.ts'

/** What decides the text of a statement beside its own shape. */
export interface PlanVersion {
  readonly schema: number
  readonly policy: number
}

export class PlanCache {
  #printed = new LruMap<string, Printed>(limits.plansCachedMax)
  #compiled = new LruMap<string, CompiledStatement>(limits.sqlStatementsCachedMax)

  /** `shape` names the statement among those of one version: equal shapes, equal statements. */
  printed({ schema, policy }: PlanVersion, shape: string, plan: () => Statement): Printed {
    const key = `${schema}.${policy} ${shape}`
    const known = this.#printed.get(key)
    if (known !== undefined) return known
    const made = print(plan())
    this.#printed.set(key, made)
    return made
  }

  /** The same for a client's statement; its text is part of `key`. */
  compiled({ schema, policy }: PlanVersion, key: string, compile: () => CompiledStatement): CompiledStatement {
    const versioned = `${schema}.${policy} ${key}`
    const known = this.#compiled.get(versioned)
    if (known !== undefined) return known
    const made = compile()
    this.#compiled.set(versioned, made)
    return made
  }

  /** A publish that was undone has given its version's number back. */
  forget(): void {
    this.#printed = new LruMap(limits.plansCachedMax)
    this.#compiled = new LruMap(limits.sqlStatementsCachedMax)
  }
}

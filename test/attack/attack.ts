/**
 * What an attack is, as data: a name, what it does, and what must come of it. Guests are really built
 * and published to a real serving host, clients really speak HTTP; arena.ts carries attacks out, and an
 * innocent database is under traffic beside every one of them.
 */
import type { ErrorCode } from '../../host/errors.ts'
import type { Arena } from './arena.ts'

export type Group = 'cpu' | 'memory' | 'capability' | 'residue' | 'malformed' | 'publish'

/** What a request came to: `ok`, or the code that it was refused with. */
export type Verdict = 'ok' | ErrorCode

/**
 *   refused   a publish is, and nothing of it stays
 *   trapped   the call is ended and undone, its instance thrown away, the next call works
 *   denied    a typed error, nothing learnt, nothing changed
 *   bounded   it works, inside a limit
 *   survived  the host goes on as if nothing had been
 */
export interface Expected {
  readonly outcome: 'refused' | 'trapped' | 'denied' | 'bounded' | 'survived'
  readonly verdict: Verdict
}

interface AttackHead {
  readonly group: Group
  /** A sentence about what the attacker does. */
  readonly name: string
  /** Where it stands in the project's catalogue of attacks (ATTACKS); several may share a number. */
  readonly number: number
  readonly expected: Expected
}

/** One reducer of the attacking module (guest.ts): a function body in wat. */
export interface CallAttack extends AttackHead {
  readonly kind: 'call'
  readonly body: string
  /** Functions that the body calls. */
  readonly functions?: string
  /** Modes of the tables that its signature names: the reducer's first handle is for `notes`. */
  readonly tables?: readonly GuestTableUse[]
  readonly params?: readonly string[]
  readonly args?: readonly unknown[]
  readonly result?: string
  /** What the caller may see where the call succeeds. */
  readonly answer?: unknown
}

export interface GuestTableUse {
  readonly table: string
  readonly mode: 'read' | 'append' | 'write'
}

/** An upload that is published to an empty database. */
export interface PublishAttack extends AttackHead {
  readonly kind: 'publish'
  readonly component: () => Uint8Array | Promise<Uint8Array>
}

/** Anything that takes more than one request. */
export interface ActAttack extends AttackHead {
  readonly kind: 'act'
  /** @throws AssertionError where something is otherwise than the attack's name promises. */
  readonly act: (arena: Arena) => Promise<Verdict>
}

export type Attack = CallAttack | PublishAttack | ActAttack

export const refused = (verdict: ErrorCode): Expected => ({ outcome: 'refused', verdict })
export const trapped = (verdict: ErrorCode): Expected => ({ outcome: 'trapped', verdict })
export const denied = (verdict: ErrorCode): Expected => ({ outcome: 'denied', verdict })
export const bounded = (verdict: Verdict = 'ok'): Expected => ({ outcome: 'bounded', verdict })
export const survived = (verdict: Verdict = 'ok'): Expected => ({ outcome: 'survived', verdict })

/** What a host under test is asked for, whichever door it has, and what it answers. */

/** The arguments of `enter` in test/modules/tally. */
export interface Entering {
  /** The call's own number: no two calls of a run have the same. */
  readonly call: string
  readonly thing: string
  readonly takesAway: boolean
  readonly reads: boolean
  readonly size: number
  readonly ending: '' | 'fail' | 'trap'
}

export type Request =
  | { readonly kind: 'create'; readonly database: string }
  | { readonly kind: 'drop'; readonly database: string }
  /** Whether the host has it: true, or false. */
  | { readonly kind: 'exists'; readonly database: string }
  | { readonly kind: 'enter'; readonly database: string; readonly subject: string; readonly entering: Entering; readonly id?: string }
  | { readonly kind: 'fill'; readonly database: string; readonly subject: string; readonly rows: number; readonly size: number }
  /** How many calls somebody has made: a query. */
  | { readonly kind: 'turns'; readonly database: string; readonly subject: string }
  | { readonly kind: 'identify'; readonly database: string; readonly subject: string }
  | { readonly kind: 'link'; readonly database: string; readonly subject: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly database: string; readonly subject: string }
  /** The module of this number; answers with its version. */
  | { readonly kind: 'publish'; readonly database: string; readonly number: number }
  | { readonly kind: 'close' }

export type Reply = { readonly value: unknown } | { readonly refused: Refusal }

export interface Refusal {
  readonly code: string
  readonly message: string
}

/** What `enter` gives. */
export interface Entered {
  readonly turn: number
  readonly label: string
}

/** A host in a process of its own. */
export interface Door {
  /** @throws HostGone when the process ended before it answered: then nobody knows. */
  send(request: Request): Promise<Reply>
}

export class HostGone extends Error {
  override readonly name = 'HostGone'
}
